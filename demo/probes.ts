import { collectDefaultMetrics } from 'prom-client'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

export interface ProbeOptions {
  metrics: Registry
  /** The process is about to close. */
  isLeaving (): boolean
}

/** What an orchestrator asks: does the process live, can it answer, and how does it do. */
export async function probeRoutes (app: FastifyInstance, { metrics, isLeaving }: ProbeOptions): Promise<void> {
  const schema = { hide: true }
  collectDefaultMetrics({ register: metrics })
  app.get('/healthz', { schema }, async () => ({ status: 'ok' }))
  app.get('/readyz', { schema }, async (_request, reply) => {
    const status = app.cobrowse.status()
    const ready = status.ready && !isLeaving()
    return reply.code(ready ? 200 : 503).send({ ...status, ready })
  })
  app.get('/metrics', { schema }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()))
}
