/** Time after which a move without an answer has no more effect. */
const UNKNOWN_MS = 30_000

/** Collects the rooms that operators moved, with bounds of the moment. */
export function createMoves (history) {
  const byId = new Map()
  const byRoom = new Map()
  for (const { what, at, room, id, outcome, from } of history) {
    if (what === 'moving') {
      const move = { begin: at, end: at + UNKNOWN_MS, from: undefined, outcome: 'unknown' }
      byId.set(id, move)
      byRoom.set(room, [...byRoom.get(room) ?? [], move])
    } else if (what === 'moved') Object.assign(byId.get(id), { end: at, from, outcome })
  }
  const isFrom = (move, node) => move.outcome !== 'unbound' && (move.from === undefined || move.from === node)

  return {
    all: [...byId.values()],
    /** Whether the room may have been moved away from this node between two moments. */
    mayHaveLeft: (room, node, { begin, end }) =>
      byRoom.get(room)?.some((move) => isFrom(move, node) && move.begin <= end && begin <= move.end) === true
  }
}
