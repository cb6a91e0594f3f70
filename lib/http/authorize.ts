import { untilAborted } from '../common/deadline.js'
import { NotAuthorizedError, OverloadedError } from '../errors.js'
import { statusOf } from '../common/status-of.js'
import type { Budget } from '../common/deadline.js'

/**
 * Asks the host's own function, which may hang like everything else.
 *
 * @throws NotAuthorizedError unless the decision is `true`; OverloadedError if there is none in time
 */
export async function authorize (decide: () => boolean | Promise<boolean>, { signal }: Budget): Promise<void> {
  if (!await isAllowed(decide, signal)) throw new NotAuthorizedError()
}

async function isAllowed (decide: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  try {
    return await untilAborted(decide(), signal) === true
  } catch (cause) {
    const status = statusOf(cause) ?? 500
    if (status >= 400 && status < 500) throw new NotAuthorizedError({ cause })
    throw signal.aborted ? new OverloadedError({ cause }) : cause
  }
}
