import { Value } from '@sinclair/typebox/value'
import { ReasonError } from '../common/reason.js'
import { InternalError } from '../errors.js'
import { assertAuthorized } from '../http/authorize.js'
import { ORDER_FIELDS } from '../registry/nodes/node-order.js'
import type { FastifyRequest } from 'fastify'
import type { Budget } from '../gateway/request-context.js'
import type { AuthorizeOperator } from '../../types/admin.js'

/**
 * Asks the host who sent the request. Nothing in the request itself can name an author.
 *
 * @throws NotAuthorizedError if the host refuses; OverloadedError if it does not decide in time; InternalError if its
 *   answer cannot be the author of an order
 */
export async function findAuthor (
  authorize: AuthorizeOperator, request: FastifyRequest, budget: Budget
): Promise<string> {
  let author: unknown
  await assertAuthorized(async () => {
    author = await authorize(request)
    return Boolean(author)
  }, budget)
  if (typeof author === 'string' && Value.Check(ORDER_FIELDS.author, author)) return author
  const { description } = ORDER_FIELDS.author
  throw new InternalError({ cause: new ReasonError(`"authorize" must return the author: ${description}`) })
}
