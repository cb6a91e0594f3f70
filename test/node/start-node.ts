import { createNode } from '../../lib/node/node.js'
import { NODE_DEFAULTS } from '../../lib/node/options.js'
import { createFakeClock } from './fake-clock.js'
import { createFakeMembership } from './fake-membership.js'
import type { NodeCoreSettings, NodeParts } from '../../lib/node/node.js'
import type { AdmitOptions, Seat, SeatEnd } from '../../types/node.js'
import type { NodeRecord, RoomKey } from '../../types/registry.js'
import type { SignatureClaims } from '../../types/signature.js'
import type { FakeMembership } from './fake-membership.js'

export const ROOM: RoomKey = { tenant: 't', room: 'r' }
const TTL_S = 15

type Ticket = Partial<SignatureClaims>

/** Starts a node whose registry, signatures and time belong to the test. */
export async function startNode (
  settings: Partial<NodeCoreSettings> = {}, parts: Partial<NodeParts> = {}, clock = createFakeClock()
) {
  const memberships: FakeMembership[] = []
  let tickets = 0

  const join = async (record: NodeRecord) => {
    const joined = createFakeMembership(record, clock.wall)
    memberships.push(joined)
    return joined
  }
  const node = await createNode({
    record: { id: 'n', wssUrl: 'wss://n.example/' },
    signing: { skew: 5 },
    allowedOrigins: undefined,
    ...NODE_DEFAULTS,
    ...settings
  }, {
    clock,
    join,
    async verify (signature) {
      if (!signature.startsWith('{')) throw new TypeError('forged')
      return JSON.parse(signature)
    },
    ...parts
  })
  const happened: string[] = []
  for (const event of ['opened', 'closed'] as const) {
    node.on(event, ({ tenant, room }) => happened.push(`${event} ${tenant}/${room}`))
  }
  for (const event of ['lapsed', 'resumed', 'replaced'] as const) node.on(event, () => happened.push(event))

  const current = () => memberships.at(-1) ?? createFakeMembership({ id: 'none' }, clock.wall)

  /** Signs as the gateway does at this moment. */
  function sign (ticket: Ticket = {}): string {
    const issuedAt = Math.floor(clock.wall() / 1000)
    return JSON.stringify({
      ...ROOM,
      user: 'u',
      name: 'U',
      role: 'recorder',
      node: 'n',
      incarnation: ticket.joinOnly === true ? null : node.incarnation,
      joinOnly: false,
      issuedAt,
      expiresAt: issuedAt + TTL_S,
      id: `ticket-${++tickets}`,
      ...ticket
    })
  }

  return {
    node,
    clock,
    /** Room events and state changes, in order. */
    happened,
    memberships,
    /** The current membership. */
    membership: current,
    sign,
    admit: async (ticket: Ticket = {}, options: AdmitOptions = {}): Promise<Seat> =>
      await node.admit(sign(ticket), options),
    /** Returns `in`, or the close code of the rejection. */
    attempt: async (ticket: Ticket | string = {}, options: AdmitOptions = {}): Promise<number | 'in'> =>
      await node.admit(typeof ticket === 'string' ? ticket : sign(ticket), options)
        .then(() => 'in' as const, (error) => error.closeCode)
  }
}

/** Records the end of a seat. */
export function watch (seat: Seat): { end?: SeatEnd, ticket: Seat } {
  const watched: { end?: SeatEnd, ticket: Seat } = { ticket: seat }
  seat.ended.then((end) => { watched.end = end })
  return watched
}
