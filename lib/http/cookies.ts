import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'

type Cookies = FastifyRequest['cookies']

const COOKIES = Symbol('fastify-cobrowse.cookies')

type Held = FastifyRequest & { [COOKIES]?: Cookies }

/**
 * Gives functions of the host `request.cookies`, if the host has not done so. They are parsed when they are first read:
 * the plugin itself reads the header, and the hooks of @fastify/cookie take a twenty-fifth of the time of a request.
 */
export async function provideCookies (scope: FastifyInstance): Promise<void> {
  if (scope.hasRequestDecorator('cookies')) return
  let parse: FastifyInstance['parseCookie'] = () => ({})
  // A scope without routes, since only the parser is of use.
  await scope.register(async (inner) => {
    await inner.register(cookie, { hook: false })
    parse = inner.parseCookie
  })
  scope.decorateRequest('cookies', {
    getter (): Cookies {
      const held: Held = this
      held[COOKIES] ??= parse(this.headers.cookie ?? '')
      return held[COOKIES]
    },
    // For a hook of the host that has a parser of its own.
    setter (cookies: Cookies) {
      const held: Held = this
      held[COOKIES] = cookies
    }
  })
}
