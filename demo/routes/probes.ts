import { collectDefaultMetrics } from 'prom-client'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

export interface ProbeOptions {
  metrics: Registry
  /** The process is about to close. */
  isLeaving (): boolean
}

/** Answers to an orchestrator: the process lives; it can answer known rooms; it can answer all; and how it does. */
export async function probeRoutes (app: FastifyInstance, { metrics, isLeaving }: ProbeOptions): Promise<void> {
  const schema = { hide: true }
  collectDefaultMetrics({ register: metrics })
  app.get('/healthz', { schema }, async () => ({ status: 'ok' }))
  // For a balancer. In an outage of the registry it stays: known rooms are what the gateway is there for then.
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
