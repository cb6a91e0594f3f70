import { splitMember } from '../../registry/nodes/member.js'
import { createIssuer } from '../../signing/issue.js'
import { freshId } from './forge.js'
import { meet } from './pair.js'
import { expect, suppose } from './result.js'
import { fateOf, isRefused } from './client.js'
import { waitFor } from './wait.js'
import type { Membership, Registry, RoomKey } from '../../../types/registry.js'
import type { Role } from '../../../types/role.js'
import type { Pair } from './pair.js'
import type { Settings } from './settings.js'
import type { Binding, Registration, TestStore } from './store.js'
import type { Connect, Client } from './client.js'

/** Address of a process that the runner registers under the node's id. */
export const IMPOSTOR_URL = 'wss://impostor.invalid/'

/** Fixture that all rules of a check share. */
export interface Environment {
  settings: Settings
  store: TestStore
  /** The runner's own registry, for the other processes that it acts as. */
  registry: Registry
  /** Another, living node. */
  rival: Membership
  /** Address of the node. */
  address: string
  connect: Connect
  /** Rooms that were used so far. */
  rooms: RoomKey[]
  /** Incarnations of the node that were seen so far. */
  incarnations: Set<string>
  /** Members with the node's id that were alive when the node had just replaced them. */
  leftAlive: string[]
}

/** Fixture of one rule: rooms and clients of its own. */
export interface Fixture extends Environment {
  /** The node's current, live registration. */
  node (): Promise<Registration>
  /** The node's next live registration, under another incarnation. */
  successor (of: Registration, ms: number): Promise<Registration | undefined>
  /** The node's next live registration, under any incarnation. */
  started (ms: number): Promise<Registration | undefined>
  /** A room that was not used before. */
  room (tenant?: string, room?: string): RoomKey
  /** Signs for the node as the gateway does, without asking the store. */
  issue (room: RoomKey, role: Role, ticket: Ticket): string
  /** Signs as a gateway without the store does, which knows the node's current registration or this earlier one. */
  issueJoinOnly (room: RoomKey, role: Role, known?: Registration): Promise<string>
  /** Assigns the room and signs, as the gateway does now. */
  sign (room: RoomKey, role: Role): Promise<string>
  /** Both sides of a room, which hear each other. */
  pair (room?: RoomKey): Promise<Pair>
  /** Returns the binding of the room as soon as the node has claimed it. */
  claimed (room: RoomKey, ms?: number): Promise<Binding | undefined>
  /** @throws BrokenRule unless the client is rejected with one of these codes */
  refused (client: Client, codes: readonly number[], who?: string, ms?: number): Promise<void>
  /** Disconnects all clients. */
  clear (): void
}

export interface Ticket {
  node: { id: string, incarnation: string }
  issuedAt: number
  joinOnly?: boolean
}

export function createFixture (environment: Environment): Fixture {
  const { settings, store, rooms, incarnations } = environment
  const clients: Client[] = []
  const issuer = createIssuer(settings.signing)

  const connect: Connect = (...handshake) => {
    const client = environment.connect(...handshake)
    clients.push(client)
    return client
  }

  const fixture: Fixture = {
    ...environment,
    connect,
    async node () {
      const living = await waitFor(async () => await findLiving(), settings.recoverMs)
      suppose(living !== undefined, 'the node is not registered')
      return living
    },
    started: async (ms) => await waitFor(findLiving, ms),
    successor: async ({ incarnation }, ms) => await waitFor(async () => {
      const present = await findLiving()
      return present?.incarnation !== incarnation && present
    }, ms),
    room (tenant = 'tenant', id = freshId()) {
      const room = { tenant, room: id }
      rooms.push(room)
      return room
    },
    issue: ({ tenant, room }, role, ticket) => issuer({ tenant, room, user: role, name: role, role, ...ticket }),
    async issueJoinOnly (room, role, known) {
      const { incarnation = '' } = known ?? await store.registration(settings.nodeId) ?? {}
      const node = { id: settings.nodeId, incarnation }
      return fixture.issue(room, role, { node, issuedAt: await store.now(), joinOnly: true })
    },
    async sign (room, role) {
      const assigned = await waitFor(async () => {
        const { member } = await fixture.node()
        const answer = await store.assign(room, member)
        return answer.outcome === 'bound' || answer.outcome === 'chosen' ? answer : undefined
      }, settings.recoverMs)
      const { id, incarnation } = splitMember(assigned?.member ?? '')
      suppose(assigned !== undefined && id === settings.nodeId, 'the store does not assign the room to the node')
      return fixture.issue(room, role, { node: { id, incarnation }, issuedAt: assigned.issuedAt })
    },
    pair: async (room = fixture.room()) => await meet(fixture, room),
    async claimed (room, ms = settings.answerMs) {
      return await waitFor(async () => {
        const [node, binding] = [await findLiving(), await store.binding(room)]
        return binding?.state === 'claimed' && binding.member === node?.member && binding
      }, ms)
    },
    async refused (client, codes, who = 'a client', ms = settings.answerMs) {
      await waitFor(() => client.end, ms)
      const { end } = client
      expect(end !== undefined && isRefused(end, codes), `${who} ${fateOf(client)}; expected ${codes.join(' or ')}`)
    },
    clear () {
      for (const client of clients) client.terminate()
    }
  }

  async function findLiving (): Promise<Registration | undefined> {
    const found = await store.registration(settings.nodeId)
    if (found?.isAlive !== true || isImpostor(found)) return undefined
    incarnations.add(found.incarnation)
    return found
  }

  return fixture
}

/** Whether the runner registered this process itself. */
export const isImpostor = ({ record }: Registration) => record?.includes(IMPOSTOR_URL) === true
