import { AFTERWARDS_MS, holds, overlap } from './faults.mjs'

/**
 * I25: only the end of its call, a move, or a fault of its own node after the lease expired, closes a room with both
 * sides inside.
 */
export function findEnded (facts) {
  const { history, moves, settings: { lease, linger } } = facts
  /** Time within which a node that a room leaves hears of the move, or the room is free for others. */
  const leavingMs = lease + linger * 1000 + AFTERWARDS_MS
  const isExcused = createExcuses(facts)
  const endedAt = new Map()
  const inside = new Map()
  const found = []

  function seatsOf (node, room) {
    if (!inside.has(node)) inside.set(node, new Map())
    const rooms = inside.get(node)
    if (!rooms.has(room)) rooms.set(room, new Map())
    return rooms.get(room)
  }

  for (const line of history) {
    const { what, by, room, jti, role, at } = line
    if (what === 'ending' && !endedAt.has(room)) endedAt.set(room, at)
    else if (what === 'started') inside.delete(by)
    else if (what === 'admitted') seatsOf(by, room).set(jti, line)
    else if (what === 'left' || what === 'ended') {
      const seats = seatsOf(by, room)
      const other = [...seats.values()].find((seat) => seat.role !== role)
      seats.delete(jti)
      if (seats.size === 0) inside.get(by).delete(room)
      if (what === 'left' || other === undefined) continue
      const isEnd = line.reason === 'the call ended'
      if (isEnd && endedAt.get(room) <= at) continue
      if (moves.mayHaveLeft(room, by, { begin: at - leavingMs, end: at })) continue
      // A node that was cut off hears of a move once it is back.
      const wasMoved = moves.mayHaveLeft(room, by, { begin: -Infinity, end: at })
      if ((isEnd && !wasMoved) || !isExcused(by, at)) {
        found.push({ rule: 'I25', what: `a room with both inside is closed: ${line.reason}`, lines: [other, line] })
      }
    }
  }
  return found
}

/** Tells if a node may close a room because of its own fault. */
function createExcuses ({ faults, promises }) {
  const known = new Map()

  function ofNode (node) {
    const gaps = promises.gapsOf(node)
    const isFaultOfStore = (gap) => faults.ofStore.some((window) => overlap(window, gap))
    const livesIn = (gap) => (other) =>
      !promises.gapsOf(other).some(({ begin, end }) => begin <= gap.begin && gap.end <= end)
    // Periods in which a process got no time, while another did and the store was healthy.
    const starved = gaps.filter((gap) => !isFaultOfStore(gap) && promises.ids().some(livesIn(gap)))
      .map(({ begin, end }) => ({ begin, end: end + AFTERWARDS_MS }))
    return { gaps, windows: [...faults.windowsOf(node), ...starved] }
  }

  return function isExcused (node, at) {
    if (!known.has(node)) known.set(node, ofNode(node))
    const { gaps, windows } = known.get(node)
    return windows.some((window) => holds(window, at) &&
      gaps.some((gap) => overlap(gap, { begin: window.begin, end: at })))
  }
}
