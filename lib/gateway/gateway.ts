import { endingFor } from '../common/adapter-call.js'
import { createAddressCheck } from '../common/address.js'
import { createRoomHash } from '../common/room-hash.js'
import { InvalidTokenError, ProvisionUnavailableError, RegistryUnavailableError, SessionsUnavailableError } from '../errors.js'
import { createIssuer } from '../signing/issue.js'
import { readOwnSignature } from '../signing/own-signature.js'
import { createAudit } from './audit.js'
import { createAvoidedNodes } from './avoided-nodes.js'
import { createConnectionInfo } from './connection-info.js'
import { createDependency } from './dependency.js'
import { createEndCall } from './end-call.js'
import { createInFlight } from './in-flight.js'
import { createJoinOnlyNotice } from './join-only-notice.js'
import { createKnownRooms } from './known-rooms.js'
import { createMetrics, NO_METRICS } from './metrics.js'
import { toAnswers } from './readiness.js'
import { guardSelectNode } from './select-node.js'
import { createStrictStart } from './strict-start.js'
import { isTraced, trace } from './tracing.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Settings } from '../options.js'
import type { InFlight } from './in-flight.js'
import type { Metrics } from './metrics.js'
import type { DependencyName, RequestContext } from './request-context.js'
import type {
  Adapter, AdapterContext, BackendStatus, CobrowseStatus, ConnectionInfo, ConnectionInfoBody, ReleaseBody, Session
} from '../../types/index.js'

/** Everything behind the routes, including the state shared between requests. */
export interface Gateway {
  readonly metrics: Metrics
  readonly inFlight: InFlight
  /**
   * Starts the adapters.
   *
   * @throws Error that names the backends that do not answer, if the start is strict; a lazy one waits for none
   */
  start (): Promise<void>
  isClosing (): boolean
  /** Tells balancers to send no more requests: `ready` is false, and requests are still answered. */
  retire (): void
  refuseNew (): void
  /** Waits for the requests under way, then closes the adapters. */
  close (): Promise<void>
  status (): CobrowseStatus
  /** @throws InvalidTokenError, or SessionsUnavailableError if the token store is unavailable */
  findSession (token: string, context: RequestContext): Promise<Session>
  connectionInfo (session: Session, body: ConnectionInfoBody, context: RequestContext): Promise<ConnectionInfo>
  endCall (session: Session, body: ReleaseBody, context: RequestContext): Promise<void>
  /** The name of a room in the log. */
  roomHash (room: string): string
}

export async function createGateway (settings: Settings, log: FastifyBaseLogger): Promise<Gateway> {
  const { sessions, registry, provision, signing, timeout, maxInFlight, joinOnlyFor, selectNode } = settings
  const addressFault = createAddressCheck(settings)
  const metrics = settings.metrics === undefined ? NO_METRICS : await createMetrics(settings.metrics)
  const dependencies = createDependencies(timeout, metrics)
  const now = () => performance.now()
  const knownRooms = createKnownRooms({
    joinOnlyFor, nodes: () => registry.nodes(), viewAgeMs: () => registry.status().viewAgeMs, now
  })
  const notice = createJoinOnlyNotice(log, now)
  signing.keys.onFault((reason) => {
    log.error({ reason }, '"signing.keys" has no usable keys: signing continues with the last ones')
  })
  const issue = createIssuer(signing)
  const roomHash = createRoomHash(() => signing.keys.first().logSecret ?? '')
  const connectionInfo = createConnectionInfo({
    registry,
    provision,
    dependencies,
    selectNode: selectNode && guardSelectNode(selectNode, log),
    exposeInternal: settings.exposeInternal,
    addressFault,
    knownRooms,
    avoidedNodes: createAvoidedNodes(log, now),
    readOwnSignature: (signature) => readOwnSignature(signing.keys, signature, Date.now()),
    mayJoinOnly: joinOnlyFor > 0,
    onJoinOnly: notice.joinOnly,
    onIssued: settings.onIssued && createAudit(settings.onIssued, log),
    issue (subject) {
      metrics.signed(subject.joinOnly ? 'join-only' : 'normal')
      if (!subject.joinOnly) notice.normal()
      return issue(subject)
    }
  })

  async function traceConnectionInfo (
    session: Session, body: ConnectionInfoBody, context: RequestContext
  ): Promise<ConnectionInfo> {
    const { tenantId: tenant } = session
    const { role, roomId } = body
    const event = { operation: 'connectionInfo' as const, requestId: context.request?.id, tenant, role, room: roomHash(roomId) }
    return await trace(event, async (event) => {
      try {
        return await connectionInfo(session, body, context)
      } finally {
        event.node = context.nodeId
      }
    })
  }

  const inFlight = createInFlight(maxInFlight)
  const adapters = { sessions, registry, provision }
  /** Steps that undo the start, which may have failed half-way. */
  const started: Array<() => Promise<void>> = []
  let retiring = false
  let closing = false
  let isOver = false

  // CC-Provision is asked first with the first request of a tenant.
  const strictStart = createStrictStart(() => ({ sessions: sessions.status(), registry: registry.status() }))

  function startAdapter (dependency: DependencyName, adapter: Adapter): void {
    const context: AdapterContext = {
      log,
      acceptsAddress: (address) => addressFault(address) === undefined,
      onRejectedRecord: metrics.recordRejected,
      onState (status) {
        if (!isOver) onState(dependency, status)
      }
    }
    adapter.start(context)
    started.push(async () => await adapter.close(context))
  }

  function onState (dependency: DependencyName, status: BackendStatus): void {
    const { state, reason } = status
    const level = state === 'down' || state === 'degraded' ? 'warn' : 'info'
    log[level]({ dependency, state, reason }, `${dependency} ${state}`)
    strictStart.changed()
  }

  function status (): CobrowseStatus {
    const backends = { sessions: sessions.status(), registry: registry.status(), provision: provision.status() }
    const answers = toAnswers({ isClosing: closing, canRecall: knownRooms.canRecall(), ...backends })
    const requests = { inFlight: inFlight.count(), inFlightLimit: inFlight.limit() }
    return { ready: answers !== 'none' && !retiring, answers, ...requests, ...backends }
  }

  return {
    metrics,
    inFlight,
    roomHash,
    connectionInfo (session, body, context) {
      if (!isTraced('connectionInfo')) return connectionInfo(session, body, context)
      return traceConnectionInfo(session, body, context)
    },
    endCall: createEndCall({ registry, dependencies, knownRooms }),
    async findSession (token, context) {
      const session = await dependencies.sessions.ask(context, (deadline) =>
        sessions.find(token, endingFor(sessions.find, deadline)))
      if (session === null) throw new InvalidTokenError()
      return session
    },
    isClosing: () => closing,
    retire () {
      retiring = true
    },
    refuseNew () {
      closing = true
    },
    async start () {
      const unwatch = metrics.watch({ inFlight, ...adapters, isReady: () => status().ready })
      started.push(async () => unwatch())
      startAdapter('sessions', sessions)
      startAdapter('registry', registry)
      startAdapter('provision', provision)
      if (settings.start === 'strict') await strictStart.wait()
    },
    async close () {
      closing = true
      // A server that listens has waited for its requests by now; injected requests end within their budget.
      await inFlight.idle(timeout)
      // Adapters may be shared with instances that continue.
      await Promise.all(started.splice(0).map(async (undo) => await undo()))
      isOver = true
    },
    status
  }
}

function createDependencies (timeout: number, { asked: observe }: Metrics) {
  // A fifth of the budget each for the two that answer in a millisecond: the rest is for the third.
  const limitMs = timeout / 5
  return {
    sessions: createDependency({
      name: 'sessions', limitMs, breaks: true, Unavailable: SessionsUnavailableError, observe
    }),
    registry: createDependency({
      name: 'registry', limitMs, breaks: true, Unavailable: RegistryUnavailableError, observe
    }),
    provision: createDependency({
      name: 'provision', limitMs: timeout, breaks: false, Unavailable: ProvisionUnavailableError, observe
    })
  }
}
