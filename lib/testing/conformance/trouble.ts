import type { RoomKey } from '../../../types/registry.js'

/** What the runner does to the store or the node, for all rules of an act at once. */
export interface Plan {
  /** @param taken rooms that the rival claims in the same moment */
  strike (taken: readonly RoomKey[]): Promise<void>
  lift? (): Promise<void>
}

/** One rule's part in it. */
export interface Trouble {
  /** Waits until every rule is ready; then it begins. @returns when it had begun, of `performance.now()` */
  begin (taken?: readonly RoomKey[]): Promise<number>
  /** Waits until every rule has seen enough; then it is over. */
  end (): Promise<void>
}

export interface Troubles {
  /** For one rule; `leave` once it is through, so that nobody waits for it. */
  join (): Trouble & { leave (): void }
  /** Ends what has begun. */
  stop (): Promise<void>
}

/** @param parties how many rules take part */
export function createTroubles (parties: number, { strike, lift }: Plan): Troubles {
  const taken: RoomKey[] = []
  let hasStruck = false
  let struckAt = 0

  const beginning = createMeeting(parties, async () => {
    hasStruck = true
    await strike(taken)
    struckAt = performance.now()
  })
  const ending = createMeeting(parties, stop)

  async function stop (): Promise<void> {
    if (!hasStruck) return
    hasStruck = false
    await lift?.()
  }

  return {
    join () {
      const waitsFor = new Set([beginning, ending])
      return {
        async begin (rooms = []) {
          taken.push(...rooms)
          waitsFor.delete(beginning)
          await beginning.attend()
          return struckAt
        },
        async end () {
          waitsFor.delete(ending)
          await ending.attend()
        },
        leave () {
          for (const meeting of waitsFor) meeting.excuse()
        }
      }
    },
    stop
  }
}

/** Work that is done once, when the last of all is there; nobody's, when nobody comes. */
function createMeeting (parties: number, work: () => Promise<void>) {
  let missing = parties
  let isWanted = false
  let complete = () => {}
  const done = new Promise<void>((resolve) => { complete = resolve }).then(async () => {
    if (isWanted) await work()
  })
  // Whoever attends hears of it.
  done.catch(() => {})

  function count (): void {
    missing--
    if (missing === 0) complete()
  }

  return {
    async attend () {
      isWanted = true
      count()
      await done
    },
    excuse: count
  }
}
