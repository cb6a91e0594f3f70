/** Exit codes of the command, for all verbs. */
export const EXIT = Object.freeze({
  ok: 0,
  /** The work was done, and its result is negative. */
  negative: 1,
  /** An argument is wrong or missing. */
  usage: 2,
  /** The work could not be done. */
  failed: 3
})

/** An argument is wrong or missing: the message names it and the fix. */
export class UsageError extends Error {
  override name = 'UsageError'
}
