/** A dependency rests for half a second if ten calls, and half of all calls, failed within ten seconds. */
const LEAST_CALLS = 10
const MOST_FAILED = 0.5
const REST_MS = 500
const SLOTS = 10
const SLOT_MS = 1000

/**
 * Keeps a dead dependency from costing every request its deadline. Our own, since it stands around each call of each
 * request, where counters cost less than events, and since a caller that left is neither a success nor a failure.
 */
export interface Breaker {
  /** Whether a call may be made. During a rest, one call in each half second tries whether the dependency is back. */
  mayCall (): boolean
  /** The dependency answered: it is back, if it was resting. */
  answered (): void
  failed (): void
}

/** @param now milliseconds of a clock that never goes back */
export function createBreaker (now = () => performance.now()): Breaker {
  const calls = new Array<number>(SLOTS).fill(0)
  const failures = new Array<number>(SLOTS).fill(0)
  let slot = 0
  let isResting = false
  let restsUntil = 0

  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)

  function forget (): void {
    calls.fill(0)
    failures.fill(0)
  }

  /** @returns the place of the present second */
  function turn (): number {
    const present = Math.floor(now() / SLOT_MS)
    if (present - slot >= SLOTS) forget()
    else {
      for (; slot < present; slot++) calls[(slot + 1) % SLOTS] = failures[(slot + 1) % SLOTS] = 0
    }
    slot = present
    return present % SLOTS
  }

  function count (counts: number[], place: number): void {
    counts[place] = (counts[place] ?? 0) + 1
  }

  function rest (): void {
    isResting = true
    restsUntil = now() + REST_MS
  }

  return {
    mayCall () {
      if (!isResting) return true
      if (now() < restsUntil) return false
      rest()
      return true
    },
    answered () {
      if (isResting) {
        isResting = false
        forget()
      }
      count(calls, turn())
    },
    failed () {
      const place = turn()
      count(calls, place)
      count(failures, place)
      if (isResting) return rest()
      const made = sum(calls)
      if (made >= LEAST_CALLS && sum(failures) > MOST_FAILED * made) rest()
    }
  }
}
