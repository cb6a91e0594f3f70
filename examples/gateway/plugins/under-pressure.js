import underPressure from '@fastify/under-pressure'
import fp from 'fastify-plugin'

export default fp(async (app) => {
  await app.register(underPressure, { maxEventLoopDelay: 1000, exposeStatusRoute: '/healthz' })
}, { name: 'under-pressure' })
