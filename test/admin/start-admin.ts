import Fastify from 'fastify'
import { admin } from '../../lib/admin/index.js'
import { memoryRegistry } from '../../lib/index.js'
import { NODES } from '../support/build-app.js'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { AdminOptions } from '../../types/admin.js'

export const CORDON = { kind: 'cordon', reason: 'new kernel on Sunday' }

export interface Admin {
  app: FastifyInstance
  /** @param path below the prefix of the plugin */
  ask (
    method: 'GET' | 'PUT' | 'DELETE' | 'POST', path: string, payload?: object, change?: InjectOptions
  ): Promise<LightMyRequestResponse>
  /** The lines of the log. */
  lines: Array<Record<string, unknown>>
}

/** A registry in memory with nodes that joined: unlike listed ones, they can give up rooms. */
export async function withNodes (...ids: string[]): Promise<ReturnType<typeof memoryRegistry>> {
  const registry = memoryRegistry()
  for (const id of ids) await registry.join({ id, wssUrl: `wss://${id}.example/ws` })
  return registry
}

/** Starts an application with the admin plugin alone, closed at the end of the test. */
export async function startAdmin (
  t: Test, options: Partial<AdminOptions> = {}, before: (app: FastifyInstance) => Promise<unknown> = async () => {}
): Promise<Admin> {
  const lines: Admin['lines'] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const app = Fastify({ logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  await before(app)
  await app.register(admin, {
    prefix: '/admin', registry: memoryRegistry({ nodes: NODES }), authorize: () => 'anna', ...options
  })
  await app.ready()
  return {
    app,
    lines,
    ask: async (method, path, payload, change = {}) =>
      await app.inject({ method, url: `/admin${path}`, ...payload && { payload }, ...change })
  }
}
