import { isOver, untilOver } from '../common/deadline.js'
import { statusOf } from '../common/status-of.js'
import { NotAuthorizedError, OverloadedError } from '../errors.js'
import type { Budget } from '../gateway/request-context.js'
import type { Authorize, AuthorizeRelease } from '../../types/options.js'

/**
 * Lets a session act for its own user, in either role and any room. For tests and the demo only: any holder of a token
 * could replay every room whose id can be guessed.
 */
export const ownUserIdOnly: Authorize = (session, { userId }) => session.userId === userId

/**
 * The default of `authorizeRelease`: users who may replay a call may end it. Every customer may record, in any call
 * whose id can be guessed.
 */
export function mayReplay (authorize: Authorize): AuthorizeRelease {
  return (session, { callId: roomId }, request) => {
    const { userId } = session
    return authorize(session, { roomId, userId, userName: userId, role: 'replayer' }, request)
  }
}

/**
 * Asks the host's own function, which may hang like any dependency.
 *
 * @throws NotAuthorizedError unless the decision is `true`; OverloadedError if there is no decision in time
 */
export async function assertAuthorized (decide: () => boolean | Promise<boolean>, budget: Budget): Promise<void> {
  try {
    const decision = decide()
    if ((typeof decision === 'boolean' ? decision : await untilOver(decision, budget)) === true) return
  } catch (cause) {
    const status = statusOf(cause) ?? 500
    if (status >= 400 && status < 500) throw new NotAuthorizedError({ cause })
    throw isOver(budget) ? new OverloadedError({ cause }) : cause
  }
  throw new NotAuthorizedError()
}
