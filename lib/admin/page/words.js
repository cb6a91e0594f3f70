// Times, orders and rooms in words.
const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]]

/** @param ms rounded down to the largest unit */
export function toAge (ms) {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? ['s', 1000]
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}

/** @param now milliseconds since the epoch, by the clock of the gateway */
export function orderInWords ({ kind, reason, author, at }, now) {
  return `${kind} by ${author} ${toAge(now - at)} ago: ${reason}`
}

/** @returns titles and texts */
export function explanationInWords ({ binding, endedAt, settlingMs, candidates, leftOut, next }, now) {
  return [
    ['Bound to', binding === undefined ? 'no node' : bindingInWords(binding)],
    ...endedAt === undefined ? [] : [['Call ended', `${toAge(now - endedAt)} ago`]],
    ...settlingMs > 0 ? [['Settling', `for ${toAge(settlingMs)} more`]] : [],
    ['New rooms', candidates.length === 0 ? 'on no node' : namesOf(candidates)],
    ...leftOut.slice(0, MOST_NAMED).map(({ id, reason }) => ['Not on', `${id} (${reason})`]),
    ...leftOut.length > MOST_NAMED ? [['Not on', `${leftOut.length - MOST_NAMED} more`]] : [],
    ['Next caller', next]
  ]
}

/** Most nodes that are named. */
const MOST_NAMED = 8

function namesOf (ids) {
  const more = ids.length - MOST_NAMED
  return more > 0 ? `${ids.slice(0, MOST_NAMED).join(', ')} and ${more} more` : ids.join(', ')
}

function bindingInWords ({ node, state, isAlive, target = 'another node' }) {
  const words = { moving: `moving to ${target}, not given up`, moved: `moving to ${target}, given up` }[state] ?? state
  return `${node} (${words}, ${isAlive ? 'alive' : 'not alive'})`
}
