import { isIP } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/

export const isLoopbackName = (host: string): boolean => LOOPBACK_NAME.test(host)

/** Set by proxies, which may pass on a request from anywhere. */
const FORWARDING = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

/**
 * Answers only callers on this very machine, and the pages of this demo, including those of another process on another
 * port.
 */
export async function answerLoopbackOnly (request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { origin } = request.headers
  // A page elsewhere may let its own name point here: the requested name has to be loopback as well.
  if (!isLoopbackAddress(request.socket.remoteAddress) || !isLoopbackName(request.hostname) || !isOwnPage(origin) ||
      FORWARDING.some((name) => name in request.headers)) {
    return await reply.code(403).send({ message: 'answered to this machine only' })
  }
  if (origin !== undefined) reply.header('access-control-allow-origin', origin).header('vary', 'origin')
}

function isOwnPage (origin: string | undefined): boolean {
  return origin === undefined || (URL.canParse(origin) && isLoopbackName(new URL(origin).hostname))
}

function isLoopbackAddress (address = ''): boolean {
  const plain = address.replace(/^::ffff:/, '')
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}
