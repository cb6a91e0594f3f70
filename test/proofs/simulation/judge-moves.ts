interface Move {
  /** The node that the room leaves. */
  id: string
  at: number
  until: number
}

interface GivenUp {
  id: string
  /** The node refuses signatures that were decided up to this moment. */
  before: number
  at: number
  /** Whether the node itself remembers, rather than the store. */
  byNode: boolean
}

/** Remembers which rooms operators moved, and which of them their nodes gave up. A room is given by its hash. */
export class JudgedMoves {
  /** Moves whose room is not bound again. */
  readonly #open = new Map<string, Move>()
  readonly #givenUp = new Map<string, GivenUp[]>()
  /** Rooms with the nodes that they were moved away from. */
  readonly #ever = new Set<string>()
  count = 0

  /** Records that an operator moved a room away from a node. A second move of a room that moves keeps its moment. */
  moved (room: string, id: string, at: number, until: number): void {
    const last = this.#open.get(room)
    const since = last?.id === id ? last.at : at
    this.#open.set(room, { id, at: since, until })
    this.#ever.add(`${room} ${id}`)
    this.count++
  }

  /** Records that a node need not acknowledge the move, since the store knows that it does not have the room. */
  gaveUpAtOnce (room: string, id: string, at: number): void {
    this.#gaveUp(room, { id, before: at, at, byNode: false })
  }

  /** Records that a node refuses signatures that were decided up to a moment; by default, that of the move. */
  acknowledged (room: string, id: string, at: number, before = this.#open.get(room)?.at): void {
    if (before !== undefined) this.#gaveUp(room, { id, before, at, byNode: true })
  }

  #gaveUp (room: string, given: GivenUp): void {
    this.#givenUp.set(room, [...this.#givenUp.get(room) ?? [], given])
  }

  /** Whether a node would not admit by a signature of the first moment, at the last moment. */
  hasGivenUp (room: string, id: string, first: number, last: number): boolean {
    const isSo = (given: GivenUp) => given.id === id && first <= given.before && given.at <= last
    return this.#givenUp.get(room)?.some(isSo) === true
  }

  /** Whether a room that was moved away from this node before this moment is bound to no other node yet. */
  isLeft (room: string, id: string, at: number): boolean {
    const move = this.#open.get(room)
    return move !== undefined && move.id === id && move.at < at && at < move.until
  }

  bound (room: string): void {
    this.#open.delete(room)
  }

  wasMovedFrom (room: string, id: string): boolean {
    return this.#ever.has(`${room} ${id}`)
  }

  /** Forgets the moves with the store's memory. Nodes remember theirs. */
  forget (): void {
    this.#open.clear()
    for (const [room, given] of this.#givenUp) this.#givenUp.set(room, given.filter(({ byNode }) => byNode))
  }
}
