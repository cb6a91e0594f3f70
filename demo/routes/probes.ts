import { collectDefaultMetrics } from 'prom-client'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

export interface ProbeOptions {
  metrics: Registry
  /** The process is about to close. */
  isLeaving (): boolean
}

/**
 * Answers to an orchestrator: the process is alive; known rooms can be answered; all rooms can be answered; and
 * metrics.
 */
export async function probeRoutes (app: FastifyInstance, { metrics, isLeaving }: ProbeOptions): Promise<void> {
  const schema = { hide: true }
  collectDefaultMetrics({ register: metrics })
  app.get('/healthz', { schema }, async () => ({ status: 'ok' }))
  // For a balancer. Stays ready during an outage of the registry, since the gateway can still answer known rooms.
  app.get('/readyz', { schema }, async (_request, reply) => {
    const status = app.cobrowse.status()
    const ready = status.ready && !isLeaving()
    return reply.code(ready ? 200 : 503).send({ ...status, ready })
  })
  // For an alert, and never for a balancer.
  app.get('/readyz/all', { schema }, async (_request, reply) => {
    const { answers } = app.cobrowse.status()
    return reply.code(answers === 'all' ? 200 : 503).send({ answers })
  })
  app.get('/metrics', { schema }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()))
}
