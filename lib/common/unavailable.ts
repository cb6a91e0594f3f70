import { RegistryUnavailableError } from '../errors.js'
import { AnsweredError, ReasonError } from './reason.js'

/** The record of a room is unreadable. Treating the room as "not bound" could split a room that is in use. */
export class UnreadableBindingError extends AnsweredError {
  override name = 'UnreadableBindingError'

  constructor (options?: ErrorOptions) {
    super('the binding of the room cannot be read', options)
  }
}

/** @param reason for the log only: the caller receives a fixed text */
export function unavailable (reason: string): Error {
  return new RegistryUnavailableError({ cause: new ReasonError(reason) })
}

/**
 * The store answered, but nothing can be said about this room.
 *
 * @param reason for the log only: the caller receives the same text as when the store is unavailable
 */
export function unanswerable (reason: string): Error {
  return new RegistryUnavailableError({ cause: new AnsweredError(reason) })
}
