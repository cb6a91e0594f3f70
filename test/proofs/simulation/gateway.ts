import { createAvoidedNodes } from '../../../lib/gateway/avoided-nodes.js'
import { createConnectionInfo } from '../../../lib/gateway/connection-info.js'
import { Budget } from '../../../lib/gateway/request-context.js'
import { createKnownRooms } from '../../../lib/gateway/known-rooms.js'
import { silentLog } from '../../support/silent-log.js'
import type { Dependency } from '../../../lib/gateway/dependency.js'
import type { Subject } from '../../../lib/signing/issue.js'
import type { Provision } from '../../../types/provision.js'
import type { Registry, RoomKey } from '../../../types/registry.js'
import type { Role } from '../../../types/role.js'
import type { Fixture, Host } from './fixture.js'

const BUDGET_MS = 1500

export interface Gateway extends Host {
  registry: Registry
  /** @returns a token */
  ask (client: { key: RoomKey, role: Role }): Promise<string>
}

export interface GatewayParts {
  registry: Registry
  timeline: Fixture['timeline']
  issue (subject: Subject): string
}

const direct: Dependency = { ask: async ({ budget }, work) => await work(budget), recalled () {} }

const provision: Provision = {
  start () {},
  status: () => ({ state: 'up', since: 0 }),
  close: async () => {},
  externalUrl: async () => null
}

/** Does the work of the plugin behind its route. */
export function createGateway (host: Host, { registry, timeline, issue }: GatewayParts): Gateway {
  const knownRooms = createKnownRooms({
    joinOnlyFor: 600,
    nodes: registry.nodes,
    viewAgeMs: () => registry.status().viewAgeMs,
    now: timeline.clockOf(host.process).monotonic
  })
  const connectionInfo = createConnectionInfo({
    registry,
    provision,
    dependencies: { registry: direct, provision: direct },
    addressFault: () => undefined,
    knownRooms,
    avoidedNodes: createAvoidedNodes(silentLog, timeline.clockOf(host.process).monotonic),
    readOwnSignature: () => undefined,
    mayJoinOnly: true,
    exposeInternal: 'always',
    issue,
    onJoinOnly () {}
  })
  return {
    ...host,
    registry,
    async ask ({ key, role }) {
      const budget = new Budget(BUDGET_MS, timeline.clockOf(host.process))
      const session = { tenantId: key.tenant, channelId: 'c', userId: role }
      const body = { roomId: key.room, userId: role, userName: role, role }
      const { signature } = await connectionInfo(session, body, { budget, timings: {} }).finally(() => budget.done())
      return signature
    }
  }
}
