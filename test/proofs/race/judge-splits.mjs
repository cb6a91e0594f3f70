/**
 * I1: no two unexpired normal signatures of one room name two live registrations. Only bounds of the moment of issue
 * are known, so a split counts only if it is one at every moment within them.
 */
export function findSplits ({ history, settings, promises }) {
  const rooms = new Map()
  for (const line of history) {
    if (line.what !== 'signed' || line.kind !== 'normal') continue
    if (rooms.has(line.room)) rooms.get(line.room).push(line)
    else rooms.set(line.room, [line])
  }

  const memberOf = ({ node, incarnation }) => `${node}|${incarnation}`
  // The date is the store's, in whole seconds.
  const earliest = ({ sentAt, iat }) => Math.max(sentAt, iat * 1000)
  const latest = ({ at, iat }) => Math.min(at, iat * 1000 + 999)
  const isSplitAfter = (first, second) =>
    (first.exp + settings.signing.skew) * 1000 > latest(second) && promises.lives(memberOf(first), latest(second))

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
