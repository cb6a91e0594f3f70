import { createPastSignatures } from './past-signatures.js'

/** Ids of the signatures that admitted a client, for as long as they could be presented again. */
export interface UsedSignatures {
  /** Number of signatures that have not ended. */
  readonly size: number
  isUsed (id: string, end: number): boolean
  /**
   * @param end time from which the signature is rejected anyway, in seconds
   * @param now of the same clock
   * @returns `false` if the signature was used before
   */
  use (id: string, end: number, now: number): boolean
}

export function createUsedSignatures (): UsedSignatures {
  const ids = new Set<string>()
  const endings = new Map<number, string[]>()
  // A clock that is set back makes signatures valid again that had ended.
  const past = createPastSignatures()
  let sweptAt = -Infinity

  function sweep (now: number): void {
    const second = Math.floor(now)
    if (second === sweptAt) return
    sweptAt = second
    for (const [end, ended] of endings) {
      if (end > now) continue
      for (const id of ended) {
        ids.delete(id)
        past.add(id, end)
      }
      endings.delete(end)
    }
  }

  const isUsed = (id: string, end: number) => ids.has(id) || past.has(id, end)

  return {
    get size () {
      return ids.size
    },
    isUsed,
    use (id, end, now) {
      sweep(now)
      if (isUsed(id, end)) return false
      ids.add(id)
      const ending = endings.get(end)
      if (ending === undefined) endings.set(end, [id])
      else ending.push(id)
      return true
    }
  }
}
