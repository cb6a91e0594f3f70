const FIRST_TRIES = 5
/** Number of tries; under load only a few are undisturbed. */
const MOST_MS = 5000
// Shorter times are noise.
const LEAST_MS = 1

/**
 * Compares the CPU time of `work` with a text and with one of twice the length: 2 for linear time, 4 for quadratic
 * time. By the wall clock, a busy machine would interrupt each try of the longer one. The fastest of several tries is
 * the least disturbed one. A machine under load needs more tries, which go on while the growth is above `most`.
 */
export function growthOf (
  work: (text: string) => unknown, textOf: (length: number) => string, length: number, most: number
): number {
  const [short, long] = [textOf(length), textOf(2 * length)]
  let [shortMs, longMs] = [Infinity, Infinity]
  const growth = () => Math.max(LEAST_MS, longMs) / Math.max(LEAST_MS, shortMs)
  const giveUpAt = performance.now() + MOST_MS
  for (let tries = 0; tries < FIRST_TRIES || (growth() > most && performance.now() < giveUpAt); tries++) {
    shortMs = Math.min(shortMs, timeOf(() => work(short)))
    longMs = Math.min(longMs, timeOf(() => work(long)))
  }
  return growth()
}

function timeOf (work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
