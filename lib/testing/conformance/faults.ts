import type { Membership, RoomKey } from '../../../types/registry.js'

/** Rooms that lose something at the moment of the fault. */
export interface Harm {
  /** Rooms that the rival claims. */
  taken: RoomKey[]
  /** Rooms whose calls end. */
  ended: RoomKey[]
  /** Rooms whose bindings are deleted. */
  evicted: RoomKey[]
}

/** Rooms that lose something together with the lease of their node. */
export interface Losses extends Harm {
  /** Another, living node. */
  rival: Membership
}

/** Fault that the runner injects into the store or the node, for all rules of an act at once. */
export interface Plan {
  inject (harm: Harm): Promise<void>
  heal? (): Promise<void>
}

/** One rule's part in the fault. */
export interface Fault {
  /** Waits until every rule is ready, then injects the fault. @returns the moment after that, of `performance.now()` */
  begin (harm?: Partial<Harm>): Promise<number>
  /** Waits until every rule has seen enough, then heals the fault. */
  end (): Promise<void>
}

export interface Faults {
  /** Adds one rule; call `leave` when it is done, so that the others do not wait for it. */
  join (): Fault & { leave (): void }
  /** Heals a fault that has begun. */
  stop (): Promise<void>
}

/** @param parties number of rules that take part */
export function createFaults (parties: number, { inject, heal }: Plan): Faults {
  const harm: Harm = { taken: [], ended: [], evicted: [] }
  let isInjected = false
  let struckAt = 0

  const beginning = createMeeting(parties, async () => {
    isInjected = true
    await inject(harm)
    struckAt = performance.now()
  })
  const ending = createMeeting(parties, stop)

  async function stop (): Promise<void> {
    if (!isInjected) return
    isInjected = false
    await heal?.()
  }

  return {
    join () {
      const waitsFor = new Set([beginning, ending])
      return {
        async begin ({ taken = [], ended = [], evicted = [] } = {}) {
          harm.taken.push(...taken)
          harm.ended.push(...ended)
          harm.evicted.push(...evicted)
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

/** Work that runs once, when the last party arrives, if any party wants it. */
function createMeeting (parties: number, work: () => Promise<void>) {
  let missing = parties
  let isWanted = false
  let complete = () => {}
  const done = new Promise<void>((resolve) => { complete = resolve }).then(async () => {
    if (isWanted) await work()
  })
  // Each party that attends gets the rejection.
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
