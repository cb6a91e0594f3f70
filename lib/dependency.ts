import { createBreaker } from './breaker.js'
import { BodyTimeoutError, InternalError, NoLiveNodeError, RegistrySettlingError } from './errors.js'
import { CallerGoneError, withDeadline } from './deadline.js'
import type { Budget } from './deadline.js'

/** Milliseconds spent in each dependency, for the log line. */
export type Timings = Partial<Record<DependencyName, number>>
export type DependencyName = 'sessions' | 'registry' | 'provision'

export interface Dependency {
  /**
   * Asks it within its own limit and what is left of the request's budget.
   *
   * @throws its catalogued error, with the cause, when it cannot be asked; what it answered, when that is an error
   */
  ask<T> (call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Stops the breaker's timers. */
  close (): void
}

/** One request, as far as its dependencies are concerned. */
export interface Call {
  budget: Budget
  timings: Timings
  /** The room's node, once it is known. */
  nodeId?: string
}

export interface DependencyOptions {
  name: DependencyName
  /** Milliseconds one call may take. */
  limitMs: number
  /** `false` for an adapter that can answer from memory while its backend is away, and breaks by itself. */
  breaks: boolean
  Unavailable: new (options: { cause: unknown }) => Error
  observe (name: DependencyName, seconds: number): void
}

export function createDependency (options: DependencyOptions): Dependency {
  const { name, limitMs, breaks, Unavailable, observe } = options
  const breaker = createBreaker(async ({ budget }: Call, work: (signal: AbortSignal) => Promise<unknown>) => {
    try {
      return await withDeadline(limitMs, work, budget.signal)
    } catch (cause) {
      throw budget.isSpentOnBody() ? new BodyTimeoutError({ cause }) : cause
    }
  }, { enabled: breaks, isHealthy: (error) => isAnswer(error) || isCallersFault(error) })

  return {
    async ask<T> (call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
      const startedAt = performance.now()
      try {
        // The breaker hands through what `work` resolves to, and its type forgets it.
        return await breaker.fire(call, work) as T
      } catch (cause) {
        if (isAnswer(cause) || isCallersFault(cause) || cause instanceof Unavailable) throw cause
        throw new Unavailable({ cause })
      } finally {
        const ms = performance.now() - startedAt
        call.timings[name] = Math.round(ms)
        observe(name, ms / 1000)
      }
    },
    close () {
      breaker.shutdown()
    }
  }
}

/** Errors that say what a dependency knows, rather than that it cannot be asked. */
function isAnswer (error: unknown): boolean {
  return error instanceof NoLiveNodeError || error instanceof RegistrySettlingError || error instanceof InternalError
}

function isCallersFault (error: unknown): boolean {
  return error instanceof CallerGoneError || error instanceof BodyTimeoutError
}
