import { admin } from '../../lib/admin/index.js'
import { answerLoopbackOnly } from './loopback.js'
import type { FastifyInstance } from 'fastify'

/**
 * The API and the page for operators. The demo has no login, so that any caller on this very machine is an operator; no
 * other caller gets an answer.
 */
export async function adminRoutes (app: FastifyInstance): Promise<void> {
  app.addHook('onRequest', answerLoopbackOnly)
  await app.register(admin, { prefix: '/admin', authorize: () => 'demo' })
}
