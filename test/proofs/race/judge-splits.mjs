import { GRAIN_MS, momentOf } from './judge-admissions.mjs'

/**
 * I1: no two unexpired normal signatures of one room name two live registrations, unless an operator moved the room
 * away from the first node, which then admits by no earlier signature. Only bounds of the moment of issue are known, so
 * a split counts only if it is one at every moment within them.
 */
export function findSplits ({ history, settings, promises, moves }) {
  const rooms = byRoom(history.filter(({ what, kind }) => what === 'signed' && kind === 'normal'))

  const memberOf = ({ node, incarnation }) => `${node}|${incarnation}`
  // The date is the store's, in whole seconds.
  const earliest = ({ sentAt, iat }) => Math.max(sentAt, iat * 1000)
  const latest = ({ at, iat }) => Math.min(at, iat * 1000 + 999)
  const isSplitAfter = (first, second) =>
    (first.exp + settings.signing.skew) * 1000 > latest(second) && promises.lives(memberOf(first), latest(second)) &&
    !(hasLeft(first, second) && !admitsAfter(first, second))

  const admissions = byRoom(history.filter(({ what, kind }) => what === 'admitted' && kind === 'normal'))
  const hasLeft = (first, second) =>
    moves.mayHaveLeft(first.room, first.node, { begin: earliest(first), end: latest(second) })
  // Whole seconds: a signature of the same second as the second one may be a later one.
  const admitsAfter = (first, second) => admissions.get(first.room)?.some((line) =>
    memberOf(line) === memberOf(first) && line.iat < second.iat && momentOf(line) > second.at + GRAIN_MS &&
    !hasReturned(first, second, momentOf(line))) === true
  // The room may be moved back, which makes its earlier signatures good again.
  const hasReturned = (first, second, before) => rooms.get(first.room).some((line) =>
    memberOf(line) === memberOf(first) && second.sentAt < line.sentAt && second.iat <= line.iat && line.sentAt < before)

  function isSplit (a, b) {
    const mayComeFirst = (first, second) => earliest(first) <= latest(second)
    return (!mayComeFirst(a, b) || isSplitAfter(a, b)) && (!mayComeFirst(b, a) || isSplitAfter(b, a))
  }

  const splits = []
  for (const signatures of rooms.values()) {
    if (new Set(signatures.map(memberOf)).size === 1) continue
    for (const [at, one] of signatures.entries()) {
      const other = signatures.slice(at + 1).find((other) => memberOf(other) !== memberOf(one) && isSplit(one, other))
      if (other !== undefined) splits.push({ rule: 'I1', what: 'a room is split', lines: [one, other] })
    }
  }
  return splits
}

function byRoom (lines) {
  const rooms = new Map()
  for (const line of lines) {
    if (rooms.has(line.room)) rooms.get(line.room).push(line)
    else rooms.set(line.room, [line])
  }
  return rooms
}
