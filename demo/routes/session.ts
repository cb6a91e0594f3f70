import { Type } from '@sinclair/typebox'
import { answerLoopbackOnly } from './loopback.js'
import type { FastifyInstance } from 'fastify'
import type { Backends } from '../backends.js'

const COOKIE = 'ccmessaging-token'

const BodySchema = Type.Object({
  userId: Type.String({ pattern: '^[A-Za-z0-9._:@-]{1,64}$', examples: ['customer-1'] }),
  userName: Type.Optional(Type.String({ maxLength: 128, examples: ['Li Na'] }))
})

/** Signs in any user of this very machine, in place of CC-Messaging, which issues the real tokens. */
export function addSessionRoute (app: FastifyInstance, issueToken: Backends['issueToken']): void {
  app.post<{ Body: { userId: string } }>('/demo/session', {
    schema: {
      tags: ['demo'], summary: 'A ccmessaging-token for the demo; answered to this machine only', body: BodySchema
    },
    preValidation: answerLoopbackOnly
  }, async (request, reply) => {
    const token = await issueToken({ tenantId: 'demo', channelId: 'web', userId: request.body.userId })
    reply.header('set-cookie', `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600`)
    return { token }
  })
}
