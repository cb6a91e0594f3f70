import Fastify from 'fastify'
import { cobrowse, memoryRegistry, memorySessions, ownUserIdOnly, staticProvision } from '../../lib/index.js'
import type { FastifyInstance, FastifyServerOptions, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { CobrowseOptions, MemorySessions } from '../../types/index.js'

export const PATH = '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo'
export const NODES = [
  { id: 'node-1', wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1' },
  { id: 'node-2', wssUrl: 'wss://10.1.2.4:8443/ws/cobrowse/2' }
]
export const signing = { keys: [{ id: 'test', secret: 'a secret of the tests, long enough' }] }
export const session = { tenantId: 't1', channelId: 'web', userId: 'u1' }
export const body = { roomId: '1659938875-16806492', userId: 'u1', userName: '王芳', role: 'recorder' }

export function defaults (): CobrowseOptions & { sessions: MemorySessions } {
  return {
    sessions: memorySessions(),
    registry: memoryRegistry({ nodes: NODES }),
    provision: staticProvision('wss://relay.example'),
    signing,
    authorize: ownUserIdOnly
  }
}

export interface App {
  app: FastifyInstance
  token: string
  /** Sends the request of a valid caller, with the given changes. */
  ask (change?: InjectOptions): Promise<LightMyRequestResponse>
}

export interface AppSetup {
  options?: Partial<CobrowseOptions>
  server?: FastifyServerOptions
  before? (app: FastifyInstance): void | Promise<void>
  after? (app: FastifyInstance): void | Promise<void>
}

/** Builds an application with the plugin, closed at the end of the test. */
export async function buildApp (t: Test, { options, server, before, after }: AppSetup = {}): Promise<App> {
  const app = Fastify(server)
  t.teardown(() => app.close())
  const { sessions, ...rest } = defaults()
  await before?.(app)
  await app.register(cobrowse, { sessions, ...rest, ...options })
  await after?.(app)
  await app.ready()
  const token = sessions.issue(session)
  return {
    app,
    token,
    ask: async (change = {}) => await app.inject({
      method: 'POST',
      url: PATH,
      payload: body,
      ...change,
      headers: {
        'content-type': 'application/json; charset=UTF-8', cookie: `ccmessaging-token=${token}`, ...change.headers
      }
    })
  }
}
