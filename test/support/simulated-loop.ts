import { createConcurrencyLimit } from '../../lib/gateway/concurrency-limit.js'

export interface Load {
  /** Number of requests that have arrived at a time, in milliseconds from the start. */
  arrivedBy (ms: number): number
  seconds: number
  /** Milliseconds of the event loop per answered request, in three equal parts. */
  answerMs?: number
  refusalMs?: number
  /** Milliseconds of the dependency, which is asked between the second part and the third. */
  dependencyMs?: number
  ceiling?: number
}

export interface Outcome {
  answered: number
  refused: number
  /** Longest time of a request in flight during the last second. */
  slowestMs: number
  /** Limit at the end of each half second. */
  limits: number[]
}

const FIRST_DEPENDENCY_MS = 1

/** Simulates an event loop that does one task after the other, and reads all arrived requests in each turn. */
export function simulateLoop ({
  arrivedBy, seconds, answerMs = 0.3, refusalMs = 0.03, dependencyMs = 1, ceiling = 1000
}: Load): Outcome {
  let now = 0
  let read = 0
  let inFlight = 0
  let waiting: Array<{ at: number, enteredAt: number, isLast: boolean }> = []
  const limit = createConcurrencyLimit(ceiling, () => now)
  const outcome: Outcome = { answered: 0, refused: 0, slowestMs: 0, limits: [] }

  function enter (): void {
    if (inFlight >= limit.current(inFlight)) {
      outcome.refused++
      now += refusalMs
      return
    }
    inFlight++
    now += answerMs / 3
    waiting.push({ at: now + FIRST_DEPENDENCY_MS, enteredAt: now, isLast: false })
  }

  function goOn ({ enteredAt, isLast }: { enteredAt: number, isLast: boolean }): void {
    now += answerMs / 3
    if (!isLast) {
      waiting.push({ at: now + dependencyMs, enteredAt, isLast: true })
      return
    }
    inFlight--
    outcome.answered++
    if (now > (seconds - 1) * 1000) outcome.slowestMs = Math.max(outcome.slowestMs, now - enteredAt)
  }

  function turn (): void {
    const startedAt = now
    const ready = waiting.filter(({ at }) => at <= startedAt)
    waiting = waiting.filter(({ at }) => at > startedAt)
    for (const arrived = Math.floor(arrivedBy(startedAt)); read < arrived; read++) enter()
    ready.forEach(goOn)
    if (now === startedAt) now += 0.2
    else limit.turned(now - startedAt, inFlight)
  }

  for (let halves = 1; halves <= 2 * seconds; halves++) {
    while (now < halves * 500) turn()
    outcome.limits.push(limit.current(inFlight))
  }
  return outcome
}
