import type { Deadline, Ending } from './deadline.js'

/** The options of a method that takes deadlines. */
export interface CallOptions {
  signal?: Ending | undefined
}

/** Methods of our own adapters that take a deadline in the place of an `AbortSignal`. */
const takers = new WeakSet<object>()

/** Marks a method. A wrapper of a host around it is not marked, so it gets a real signal and can pass that on. */
export function takesDeadline<Method extends object> (method: Method): Method {
  takers.add(method)
  return method
}

/** The end of the wait in the form that a method of an adapter expects: adapters of others get an `AbortSignal`. */
export function endingFor (method: object, deadline: Deadline): AbortSignal {
  // A marked method declares more than the published type names.
  return takers.has(method) ? deadline as unknown as AbortSignal : deadline.signal
}

/**
 * Sets the end of the wait in the options of one call. An adapter of another author costs no signal before it reads the
 * property.
 */
export function withEnding<Options extends { signal?: AbortSignal | undefined }> (
  method: object, deadline: Deadline, options: Options
): Omit<Options, 'signal'> & { signal: AbortSignal } {
  if (takers.has(method)) options.signal = endingFor(method, deadline)
  else Object.defineProperty(options, 'signal', { get: () => deadline.signal, enumerable: true })
  return options as Omit<Options, 'signal'> & { signal: AbortSignal }
}
