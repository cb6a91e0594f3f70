import type { RelayMember } from '../../types/relay.js'

/** A client inside a room. */
export interface RoomClient {
  readonly member: RelayMember
  readonly isObserver: boolean
  /** Sends a message of the node. */
  tell (text: string): void
  /** Sends a message of another client. */
  pass (data: Buffer): void
}

/** The clients of one room. */
export interface RelayRoom<C extends RoomClient> {
  readonly size: number
  /** Id of the recorder that is seen. */
  recorder (): number | null
  /** In the order of their arrival. */
  members (): RelayMember[]
  add (client: C): void
  remove (client: C): void
  /** Passes a message of the recorder to the replayers, and one of a replayer to the recorder. */
  pass (from: C, data: Buffer): void
}

/**
 * @param takeover whether a further recorder of the same user takes the place of the one that is seen. Otherwise it
 *   waits until the first one leaves: two streams would make one broken picture
 */
export function createRelayRoom<C extends RoomClient> (takeover: boolean): RelayRoom<C> {
  const clients = new Set<C>()
  // Kept, since messages are many and arrivals are few.
  let seen: C | undefined
  let seenAsList: C[] = []
  let replayers: C[] = []

  function findSeen (): C | undefined {
    const recorders = [...clients].filter(({ member }) => member.role === 'recorder')
    const first = seen !== undefined && clients.has(seen) ? seen : recorders[0]
    return takeover ? recorders.findLast(({ member }) => member.user === first?.member.user) : first
  }

  function change (): void {
    seen = findSeen()
    seenAsList = seen === undefined ? [] : [seen]
    replayers = [...clients].filter(({ member }) => member.role === 'replayer')
    const recorder = seen?.member.id ?? null
    const members = [...clients].map(({ member }) => member)
    const rest = `"recorder":${recorder},"members":${JSON.stringify(members)}}`
    for (const client of clients) client.tell(`{"type":"members","you":${client.member.id},${rest}`)
  }

  function receiversOf (from: C): C[] {
    if (from === seen) return replayers
    return from.member.role === 'recorder' || from.isObserver || !clients.has(from) ? [] : seenAsList
  }

  return {
    get size () {
      return clients.size
    },
    recorder: () => seen?.member.id ?? null,
    members: () => [...clients].map(({ member }) => member),
    add (client) {
      clients.add(client)
      change()
    },
    remove (client) {
      if (clients.delete(client)) change()
    },
    pass (from, data) {
      for (const client of receiversOf(from)) client.pass(data)
    }
  }
}
