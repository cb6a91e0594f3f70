// Times and orders in words.
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
