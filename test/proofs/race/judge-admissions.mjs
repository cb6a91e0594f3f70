/** Difference allowed between the clocks of a node and of the store, which count milliseconds on one machine. */
export const GRAIN_MS = 20

/** Share of its session that a node relies on (lib/registry/zookeeper/session-lease.ts). */
const TRUSTED_SHARE = 2 / 3

// The moment of the note may be later: see doors.mjs.
export const momentOf = ({ heldAt, at }) => heldAt ?? at

/** I5: a signature is accepted at most once, and never after its expiry. */
export function findReused ({ history, settings }) {
  const admitted = new Map()
  const found = []
  for (const line of history) {
    if (line.what !== 'admitted') continue
    const earlier = admitted.get(line.jti)
    if (earlier !== undefined) found.push({ rule: 'I5', what: 'a signature is accepted twice', lines: [earlier, line] })
    admitted.set(line.jti, line)
    if (momentOf(line) > (line.exp + settings.signing.skew) * 1000 + GRAIN_MS) {
      found.push({ rule: 'I5', what: 'a signature is accepted after its expiry', lines: [line] })
    }
  }
  return found
}

/** I8: no normal admission after the lease promised by the store expired, or after the node was seen to be gone. */
export function findLate ({ history, settings, faults }) {
  const last = new Map()
  const gone = new Map()
  const isObserved = history.some(({ script }) => script === 'OBSERVED')
  const found = []
  for (const line of history) {
    if (line.what === 'gone') gone.set(line.member, line)
    if (line.what === 'promised' && !(last.get(line.member)?.until > line.until)) last.set(line.member, line)
    if (line.what !== 'admitted' || line.kind !== 'normal') continue
    const member = `${line.node}|${line.incarnation}`
    const end = isObserved ? gone.get(member) : last.get(member)
    const endedAt = isObserved ? end?.at ?? Infinity : end?.until ?? -Infinity
    const learnsMs = faults.expiredByHand(endedAt) ? settings.lease * TRUSTED_SHARE : 0
    if (momentOf(line) > endedAt + learnsMs + GRAIN_MS) {
      found.push({ rule: 'I8', what: 'a node admits after its lease expired', lines: [end, line].filter(Boolean) })
    }
  }
  return found
}
