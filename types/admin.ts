import type { FastifyRequest } from 'fastify'
import type { Registry } from './registry.js'

/**
 * Identifies the operator who sent the request, by the host's own login.
 *
 * @returns the author of orders, 1 to 64 characters, as the login knows the operator: never a text of the request that
 *   a caller can choose. Any falsy value, or an error with a 4xx `statusCode`, is answered 40301
 */
export type AuthorizeOperator = (
  request: FastifyRequest
) => string | false | null | undefined | Promise<string | false | null | undefined>

export interface AdminOptions {
  /**
   * The registry of the gateways, with `operations`. Left out: `app.cobrowseRegistry`, if `fastify-cobrowse` is
   * registered in the same scope or an outer one.
   */
  registry?: Registry | undefined
  /** Called for each request, the page's files included. There is no default: an operator can empty every node. */
  authorize: AuthorizeOperator
  /**
   * Origins of web pages, besides the gateway's own, that may send requests: `https://portal.example`.
   * @default []
   */
  allowedOrigins?: readonly string[] | undefined
  /**
   * Milliseconds from the arrival of a request to its answer, `authorize` and the registry included.
   * @default 5000
   */
  timeout?: number | undefined
}
