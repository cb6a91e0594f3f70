import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

// The reference has inline styles, and asks only this server.
const POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Describes the routes that are registered from now on, at `/docs`. */
export async function addReference (app: FastifyInstance): Promise<void> {
  await app.register(swagger, { openapi: { info: { title: 'fastify-cobrowse', version: '1' } } })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: POLICY })
}
