type Step = () => void

/** Steps beyond these would wait for too long; in an overload, a thousand heads may arrive in one turn. */
const MOST_STEPS = 32

export interface Cohort {
  /** The number of steps that wait. */
  size (): number
  add (step: Step): void
}

/**
 * Delays steps to the end of the turn of the event loop, and runs those of one turn one after the other: code and data
 * that one of them has brought into the caches of the processor serve the others (Larus and Parkes, "Using Cohort
 * Scheduling to Enhance Server Performance", 2002).
 */
export function createCohort (): Cohort {
  let waiting: Step[] = []

  function runAll (): void {
    const steps = waiting
    waiting = []
    runFrom(steps, 0)
  }

  return {
    size: () => waiting.length,
    add (step) {
      waiting.push(step)
      if (waiting.length === MOST_STEPS) runAll()
      else if (waiting.length === 1) setImmediate(runAll)
    }
  }
}

function runFrom (steps: readonly Step[], first: number): void {
  let at = first
  try {
    for (; at < steps.length; at++) steps[at]?.()
  } finally {
    // An exception must not silence the others.
    if (at < steps.length) runFrom(steps, at + 1)
  }
}
