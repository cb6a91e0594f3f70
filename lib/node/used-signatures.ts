/** Ids of the signatures that admitted somebody, for as long as they could be shown again. */
export interface UsedSignatures {
  readonly size: number
  isUsed (id: string, end: number): boolean
  /**
   * @param end when it is refused anyway, in seconds
   * @param now of the same clock
   * @returns `false` when it is used already
   */
  use (id: string, end: number, now: number): boolean
}

export function createUsedSignatures (): UsedSignatures {
  const ids = new Set<string>()
  const endings = new Map<number, string[]>()
  let sweptAt = -Infinity
  let forgottenUntil = -Infinity

  function sweep (now: number): void {
    const second = Math.floor(now)
    if (second === sweptAt) return
    sweptAt = second
    for (const [end, ended] of endings) {
      if (end > now) continue
      for (const id of ended) ids.delete(id)
      endings.delete(end)
      forgottenUntil = Math.max(forgottenUntil, end)
    }
  }

  // A clock that is set back makes signatures good again whose ids are gone.
  const isUsed = (id: string, end: number) => ids.has(id) || end <= forgottenUntil

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
