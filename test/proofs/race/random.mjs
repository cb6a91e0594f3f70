/** @typedef {ReturnType<typeof createRandom>} Random */

/**
 * Creates a generator of numbers from 0 to 1, repeatable by its seed (mulberry32).
 *
 * @param {number} seed
 */
export function createRandom (seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    /** @type {(low: number, high: number) => number} */
    between: (low, high) => low + next() * (high - low),
    /** @type {<T>(list: readonly T[]) => T} */
    pick: (list) => list[Math.floor(next() * list.length)],
    /** @type {<T>(list: readonly T[]) => T[]} */
    shuffle: (list) => list.map((item) => [next(), item]).sort(([a], [b]) => a - b).map(([, item]) => item)
  }
}
