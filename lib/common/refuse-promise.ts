import { ReasonError } from './reason.js'

/**
 * Throws if a function of the host returned a promise in place of a value. A rejection of the promise would end the
 * process, as no caller waits for it.
 *
 * @throws ReasonError
 */
export function refusePromise (returned: unknown, name: string): void {
  if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
  Promise.resolve(returned).catch(() => {})
  throw new ReasonError(`${name} must not be asynchronous`)
}
