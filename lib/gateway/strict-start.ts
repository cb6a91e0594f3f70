import type { BackendStatus } from '../../types/index.js'

/** Shorter than Fastify's default time limit for a plugin, 10 s, whose error would name no backend. */
const LIMIT_MS = 5000

export interface StrictStart {
  /** Tells that the state of a backend changed. */
  changed (): void
  /**
   * Resolves as soon as token store and registry answer.
   *
   * @throws Error that names the backends that do not, with their reasons
   */
  wait (): Promise<void>
}

/** Waits for the backends at the start, instead of starting without them. */
export function createStrictStart (statuses: () => Record<string, BackendStatus>): StrictStart {
  let onChange = (): void => {}

  const missing = (): string[] => Object.entries(statuses()).flatMap(([name, { state, reason }]) =>
    state === 'up' || state === 'degraded' ? [] : [`${name} ${state}${reason === undefined ? '' : ` (${reason})`}`])

  return {
    changed: () => onChange(),
    async wait () {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`"start" option is "strict", and after ${LIMIT_MS / 1000} s: ${missing().join(', ')}`))
        }, LIMIT_MS)
        onChange = () => {
          if (missing().length > 0) return
          clearTimeout(timer)
          resolve()
        }
        onChange()
      })
    }
  }
}
