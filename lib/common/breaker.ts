import CircuitBreaker from 'opossum'

/** A dependency is not asked for half a second if ten calls, and half of all calls, failed within ten seconds. */
const OPTIONS = {
  timeout: false as const,
  volumeThreshold: 10,
  errorThresholdPercentage: 50,
  rollingCountTimeout: 10_000,
  resetTimeout: 500,
  rollingPercentilesEnabled: false,
  enableSnapshots: false
}

export interface BreakerOptions {
  /** Errors that do not count, because the dependency did answer. */
  isHealthy (error: unknown): boolean
  /** `false` never breaks. */
  enabled?: boolean
}

/** Keeps a dead dependency from costing every request its deadline. Call `shutdown()` at the end. */
export function createBreaker<Args extends unknown[], Result> (
  action: (...args: Args) => Promise<Result>, { isHealthy, enabled = true }: BreakerOptions
): CircuitBreaker<Args, Result> {
  return new CircuitBreaker(action, { ...OPTIONS, enabled, errorFilter: isHealthy })
}
