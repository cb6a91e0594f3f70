import {
  InternalError, NodesFullError, NoLiveNodeError, OverloadedError, ProvisionUnavailableError, RegistrySettlingError,
  RegistryUnavailableError
} from '../errors.js'
import { endingFor, withEnding } from '../common/adapter-call.js'
import { withNodePath } from '../common/address.js'
import { keptUrlOf } from '../common/kept-url.js'
import { ReasonError } from '../common/reason.js'
import { refusePromise } from '../common/refuse-promise.js'
import { leastLoaded } from './placement.js'
import type { AddressCheck } from '../common/address.js'
import type { OwnSignature } from '../signing/own-signature.js'
import type { AvoidedNodes } from './avoided-nodes.js'
import type { Dependency } from './dependency.js'
import type { KnownRooms } from './known-rooms.js'
import type { RequestContext } from './request-context.js'
import type { Subject } from '../signing/issue.js'
import type {
  Assignment, CobrowseOptions, ConnectionInfo, ConnectionInfoBody, Issued, NodeRef, NodeView, Provision, Registry,
  RoomKey, SelectNode, Session
} from '../../types/index.js'

export interface ConnectionInfoParts {
  registry: Registry
  provision: Provision
  dependencies: Record<'registry' | 'provision', Dependency>
  /** Never throws. */
  selectNode?: SelectNode | undefined
  exposeInternal: NonNullable<CobrowseOptions['exposeInternal']>
  addressFault: AddressCheck
  knownRooms: KnownRooms
  avoidedNodes: AvoidedNodes
  /** Reads a signature that this gateway issued, or one with the same keys. */
  readOwnSignature (signature: string): OwnSignature | undefined
  /** Whether an assignment made without the store may be signed. */
  mayJoinOnly: boolean
  issue (subject: Subject): string
  /** Called with each signature, for the host. */
  onIssued?: ((issued: Issued) => void) | undefined
  /** Called for each answer that was made without the store, with the reason. */
  onJoinOnly (reason: unknown): void
}

/** The use case: session and body in; node, external address and signature out. Independent of Fastify and HTTP. */
export function createConnectionInfo (parts: ConnectionInfoParts) {
  const { registry, provision, dependencies, addressFault, knownRooms, issue, onIssued } = parts
  const accepts = rememberPerNode((node) => addressFault(node.wssUrl) === undefined &&
    (node.wssUrlOut === undefined || addressFault(node.wssUrlOut) === undefined))
  const { selectNode = leastLoaded, exposeInternal, avoidedNodes } = parts
  const selectOthers: SelectNode = (candidates, context) => avoidedNodes.order(selectNode(candidates, context))

  function hearUnopened (session: Session, { unopened, userId }: ConnectionInfoBody): void {
    if (unopened === undefined) return
    const own = parts.readOwnSignature(unopened)
    if (own === undefined || own.tenant !== session.tenantId || own.user !== userId) return
    avoidedNodes.report(own.node, `${own.tenant} ${own.user}`)
  }

  function askRegistry (room: RoomKey, context: RequestContext): Promise<Assignment> {
    const select = avoidedNodes.isEmpty() ? parts.selectNode : selectOthers
    const choice = { accepts, selectNode: select, isKnown: knownRooms.has(room), signal: undefined }
    return dependencies.registry.ask(context, (deadline) =>
      registry.assign(room, withEnding(registry.assign, deadline, choice)))
  }

  function heard (assignment: Assignment, context: RequestContext): Assignment {
    context.nodeId = assignment.node.id
    if (assignment.joinOnly && !parts.mayJoinOnly) throw new RegistryUnavailableError()
    knownRooms.heard(assignment)
    // A binding may be older than the rules for addresses, or made under other rules.
    const fault = addressFault(assignment.node.wssUrl)
    if (fault !== undefined) throw new NoLiveNodeError({ cause: new ReasonError(`wssUrl of the node ${fault}`) })
    if (assignment.joinOnly) parts.onJoinOnly(new ReasonError('the registry answered from memory'))
    return assignment
  }

  async function findNode (room: RoomKey, context: RequestContext): Promise<Assignment> {
    try {
      return heard(await askRegistry(room, context), context)
    } catch (error) {
      if (error instanceof NoLiveNodeError || error instanceof NodesFullError) knownRooms.forget(room)
      const recalled = isWithoutStore(error) && !context.budget.isPassed() ? knownRooms.recall(room) : undefined
      if (recalled === undefined || addressFault(recalled.node.wssUrl) !== undefined) throw error
      context.nodeId = recalled.node.id
      parts.onJoinOnly(error)
      return recalled
    }
  }

  async function askProvision (node: NodeRef, session: Session, context: RequestContext): Promise<string | null> {
    return await dependencies.provision.ask(context, (deadline) =>
      provision.externalUrl(node, session, endingFor(provision.externalUrl, deadline), context.request))
  }

  function recallUrl (node: NodeRef, session: Session, context: RequestContext): string | undefined {
    const url = keptUrlOf(provision, node, session)
    if (url !== undefined) dependencies.provision.recalled(context)
    return url
  }

  /** The address for the answer, from what the node's record or provision says. */
  function toExternalUrl (node: NodeRef, given: string | null): string | null {
    if (given === null) return null
    const url = node.wssUrlOut ?? withNodePath(given, node.wssUrl)
    const fault = addressFault(url)
    if (fault !== undefined) throw new ProvisionUnavailableError({ cause: new ReasonError(`the answer ${fault}`) })
    return url
  }

  function showsInternal (session: Session, body: ConnectionInfoBody, context: RequestContext): boolean {
    if (typeof exposeInternal === 'string') return exposeInternal === 'always'
    try {
      const decision: unknown = exposeInternal(session, body, context.request)
      refusePromise(decision, '"exposeInternal"')
      return decision === true
    } catch (cause) {
      throw new InternalError({ cause })
    }
  }

  return async function connectionInfo (
    session: Session, body: ConnectionInfoBody, context: RequestContext
  ): Promise<ConnectionInfo> {
    provision.prefetch?.(session, context.request)
    hearUnopened(session, body)
    const room = { tenant: session.tenantId, room: body.roomId }
    const assignment = await findNode(room, context)
    const { node, issuedAt, joinOnly } = assignment
    const given = node.wssUrlOut ?? recallUrl(node, session, context) ?? await askProvision(node, session, context)
    const wssUrlOut = toExternalUrl(node, given)
    // A choice that exceeded the request's time limit is never signed: the room may have another binding by now.
    if (context.budget.isPassed()) throw new RegistryUnavailableError()
    const shownUrl = showsInternal(session, body, context) ? node.wssUrl : null
    if (shownUrl === null && wssUrlOut === null) {
      throw new ProvisionUnavailableError({ cause: new ReasonError('there is no external address, and the internal one is hidden') })
    }
    const { roomId, userId: user, userName: name, role } = body
    const signature = issue({ user, name, role, node, issuedAt, joinOnly, ...room })
    knownRooms.remember(room, assignment)
    onIssued?.({ session, room: roomId, role, node, joinOnly, request: context.request })
    return toAnswer(roomId, shownUrl, wssUrlOut, signature)
  }
}

/**
 * Whether the store said nothing about the room, which is not the same as "no live node". Includes an answer that was
 * not read in time because our own event loop was busy.
 */
function isWithoutStore (error: unknown): boolean {
  return [RegistryUnavailableError, RegistrySettlingError, OverloadedError].some((Kind) => error instanceof Kind)
}

/** One hidden class for each form, since a serializer reads it for every request. */
function toAnswer (roomId: string, wssUrl: string | null, wssUrlOut: string | null, signature: string): ConnectionInfo {
  if (wssUrlOut === null) return wssUrl === null ? { roomId, signature } : { roomId, wssUrl, signature }
  return wssUrl === null ? { roomId, wssUrlOut, signature } : { roomId, wssUrl, wssUrlOut, signature }
}

// A registry asks for every candidate of every room, and the views live as long as one reading of the nodes.
function rememberPerNode (decide: (node: NodeView) => boolean): (node: NodeView) => boolean {
  const known = new WeakMap<NodeView, boolean>()
  return (node) => {
    const held = known.get(node)
    if (held !== undefined) return held
    const decided = decide(node)
    known.set(node, decided)
    return decided
  }
}
