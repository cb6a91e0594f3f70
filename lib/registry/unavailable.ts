import { RegistryUnavailableError } from '../errors.js'

/** @param reason for the log: the caller is told a fixed text */
export function unavailable (reason: string): Error {
  return new RegistryUnavailableError({ cause: new Error(reason) })
}
