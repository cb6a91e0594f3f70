/** Time in which a client that waits alone is told to ask again, and does so. */
const MEETING_MS = 5000

/**
 * I26: the two sides never wait on different nodes, unless the store or a node is at fault that would have to tell
 * them.
 */
export function findApart ({ history, settings, faults }) {
  const limit = settings.lease + settings.patience + MEETING_MS
  const stays = new Map()
  const seated = new Map()
  const found = []
  const endsAt = history.at(-1)?.at

  for (const line of history) {
    if (line.what === 'inside') seated.set(line.jti, line)
    else if (line.what === 'outside' || line.what === 'sent-away') end(line, line.at)
  }
  for (const line of [...seated.values()]) end(line, endsAt)

  function end ({ jti }, at) {
    const line = seated.get(jti)
    if (line === undefined) return
    seated.delete(jti)
    if (!stays.has(line.room)) stays.set(line.room, [])
    stays.get(line.room).push({ begin: line.at, end: at, line })
  }

  for (const ofRoom of stays.values()) {
    if (new Set(ofRoom.map(({ line }) => line.node)).size === 1) continue
    for (const [at, one] of ofRoom.entries()) {
      for (const other of ofRoom.slice(at + 1)) {
        if (one.line.node === other.line.node || one.line.role === other.line.role) continue
        const both = { begin: Math.max(one.begin, other.begin), end: Math.min(one.end, other.end) }
        const excuses = [...faults.ofStore, ...faults.stopsOf(one.line.node), ...faults.stopsOf(other.line.node)]
        if (longestOutside(both, excuses) > limit) {
          found.push({ rule: 'I26', what: `both sides wait apart for ${both.end - both.begin} ms`, lines: [one.line, other.line] })
        }
      }
    }
  }
  return found
}

function longestOutside ({ begin, end }, windows) {
  let longest = 0
  let from = begin
  for (const window of windows.toSorted((a, b) => a.begin - b.begin)) {
    longest = Math.max(longest, Math.min(window.begin, end) - from)
    from = Math.max(from, window.end)
  }
  return Math.max(longest, end - from)
}
