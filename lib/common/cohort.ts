type Step = () => void

/**
 * Delays steps to the end of the turn of the event loop, and runs those of one turn one after the other: code and data
 * that one of them has brought into the caches of the processor serve the others (Larus and Parkes, "Using Cohort
 * Scheduling to Enhance Server Performance", 2002).
 */
export function createCohort (): (step: Step) => void {
  let waiting: Step[] = []

  function runAll (): void {
    const steps = waiting
    waiting = []
    runFrom(steps, 0)
  }

  return (step) => {
    waiting.push(step)
    if (waiting.length === 1) setImmediate(runAll)
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
