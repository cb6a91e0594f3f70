import { RegistryUnavailableError } from '../errors.js'
import { AnsweredError, ReasonError } from './reason.js'

/** The text of a room says nothing: taking it for "not bound" could split a room that is in use. */
export class UnreadableBindingError extends AnsweredError {
  override name = 'UnreadableBindingError'

  constructor (options?: ErrorOptions) {
    super('the binding of the room cannot be read', options)
  }
}

/** @param reason for the log: the caller is told a fixed text */
export function unavailable (reason: string): Error {
  return new RegistryUnavailableError({ cause: new ReasonError(reason) })
}

/**
 * The store could be asked, but nothing can be said of this room.
 *
 * @param reason for the log: the caller is told the same as when the store cannot be asked
 */
export function unanswerable (reason: string): Error {
  return new RegistryUnavailableError({ cause: new AnsweredError(reason) })
}
