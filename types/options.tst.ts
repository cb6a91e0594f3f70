import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { Registry as PromRegistry } from 'prom-client'
import { expect, test } from 'tstyche'
import cobrowse, {
  httpProvision, memoryRegistry, memorySessions, ownUserIdOnly, redisRegistry, redisSessions, staticProvision,
  zookeeperRegistry
} from '../lib/index.js'
import type { OptionsSchema } from '../lib/options.js'
import type { Static } from '@sinclair/typebox'
import type { Cobrowse, CobrowseOptions, MetricsRegistry, Provision, Registry, Session, Sessions } from './index.js'

const app = Fastify()
const options: CobrowseOptions = {
  sessions: memorySessions(),
  registry: memoryRegistry(),
  provision: staticProvision('wss://relay.example'),
  signing: { keys: [{ id: 'k', secret: 'x'.repeat(32) }] },
  authorize: ownUserIdOnly
}

test('the mandatory options suffice, and none of them may be missing', () => {
  expect(app.register).type.toBeCallableWith(cobrowse, options)
  const { authorize, ...unauthorized } = options
  expect(unauthorized).type.not.toBeAssignableTo<CobrowseOptions>()
  const { registry, ...unregistered } = options
  expect(unregistered).type.not.toBeAssignableTo<CobrowseOptions>()
})

test('an unknown option and a value of another type are refused', () => {
  expect(app.register).type.not.toBeCallableWith(cobrowse, { ...options, timeOut: 1 })
  expect(app.register).type.not.toBeCallableWith(cobrowse, { ...options, timeout: '1500' })
  expect(app.register).type.not.toBeCallableWith(cobrowse, { ...options, signing: { keys: 'secret' } })
  expect(app.register).type.not.toBeCallableWith(cobrowse, { ...options, allowedOrigins: 'https://a.example' })
  // An unawaited or absent decision must not pass as a permission.
  expect(app.register).type.not.toBeCallableWith(cobrowse, { ...options, authorize: () => 'yes' })
  expect(app.register).type.not.toBeCallableWith(cobrowse, { ...options, authorizeRelease: () => undefined })
})

test('an option may be undefined where it may be left out', () => {
  expect(app.register).type.toBeCallableWith(cobrowse, { ...options, timeout: undefined, allowedHosts: undefined })
})

test('the schema that checks the options knows the same names as their type', () => {
  type OfFastify = 'logLevel' | 'logSerializers'
  expect<Exclude<keyof Static<typeof OptionsSchema>, OfFastify>>().type.toBe<keyof CobrowseOptions>()
})

test('who may end a call is decided by its id, and a registry need not end calls', () => {
  const deciding: CobrowseOptions = {
    ...options, authorizeRelease: async ({ userId }, { callId }) => callId.startsWith(userId)
  }
  expect(app.register).type.toBeCallableWith(cobrowse, deciding)
  // The body has no role, and a decision that reads one was written for the other route.
  expect(app.register).type.not.toBeCallableWith(cobrowse, {
    ...options, authorizeRelease: (_session: Session, { role }: { role: string }) => role === 'replayer'
  })
  const { end: _end, ...withoutEnd } = memoryRegistry()
  expect(withoutEnd).type.toBeAssignableTo<Registry>()
})

test('the decorators are typed', () => {
  expect(app.cobrowse.endCall).type.toBeCallableWith({ tenantId: 't', channelId: 'c', userId: 'u' }, 'call')
  expect(app.cobrowse.endCall).type.not.toBeCallableWith({ tenantId: 't', channelId: 'c', userId: 'u' }, { callId: 'call' })
  expect(app.cobrowse).type.toBe<Cobrowse>()
  expect(app.cobrowseRegistry).type.toBe<Registry>()
  expect(app.cobrowseProvision).type.toBe<Provision>()
  app.get('/', async (request) => {
    expect(request.cobrowseSession).type.toBe<Session | null>()
  })
})

test('ioredis 5 and 6, their clusters, and prom-client fit without a cast', () => {
  expect(redisRegistry).type.toBeCallableWith({ redis: new Redis() })
  expect(redisSessions).type.toBeCallableWith({ redis: new Redis(), prefix: 'TOKENKEY:' })
  expect(redisRegistry).type.toBeCallableWith({ redis: new Redis5() })
  expect(redisSessions).type.toBeCallableWith({ redis: new Redis5() })
  expect(redisRegistry).type.toBeCallableWith({ redis: new Redis.Cluster([]) })
  expect(redisSessions).type.toBeCallableWith({ redis: new Redis.Cluster([]) })
  expect(redisRegistry).type.not.toBeCallableWith({ redis: 'redis://localhost' })
  expect(new PromRegistry()).type.toBeAssignableTo<MetricsRegistry>()
})

test('ZooKeeper is named by its servers, never by a client that the host made', () => {
  expect(zookeeperRegistry).type.toBeCallableWith({ hosts: 'zk1:2181,zk2:2181/apps' })
  expect(zookeeperRegistry).type.toBeCallableWith({
    hosts: 'zk1', root: '/cobrowse', auth: 'user:password', sessionTimeout: 6000, linger: undefined
  })
  expect(zookeeperRegistry).type.toBeCallableWith({
    hosts: 'zk1', listed: { path: '/relays' }, parse: (text: string, id: string) => ({ wssUrl: `wss://${text}/${id}` })
  })
  expect(zookeeperRegistry).type.not.toBeCallableWith({})
  expect(zookeeperRegistry).type.not.toBeCallableWith({ hosts: ['zk1:2181', 'zk2:2181'] })
  expect(zookeeperRegistry).type.not.toBeCallableWith({ hosts: 'zk1', auth: { user: 'u', password: 'p' } })
  expect(zookeeperRegistry).type.not.toBeCallableWith({ hosts: 'zk1', sessionTimeout: '6s' })
  // Nodes listed in Redis have no path, and nodes listed in ZooKeeper have no hash.
  expect(zookeeperRegistry).type.not.toBeCallableWith({ hosts: 'zk1', listed: { hash: 'relay:nodes' } })
  expect(zookeeperRegistry).type.not.toBeCallableWith({ hosts: 'zk1', listed: {} })
  expect(zookeeperRegistry).type.not.toBeCallableWith({ hosts: 'zk1', parse: (text: string) => text })
  expect(zookeeperRegistry({ hosts: 'zk1' })).type.toBe<Registry>()
})

test('adapters refuse options that they do not know', () => {
  expect(httpProvision).type.not.toBeCallableWith({ url: 'https://x.example', onOutage: 'ignore' })
  expect(httpProvision).type.not.toBeCallableWith({})
  expect(memoryRegistry).type.not.toBeCallableWith({ nodes: [{ id: 'n' }] })
  expect(redisSessions).type.not.toBeCallableWith({ redis: new Redis(), key: 'x' })
  expect(zookeeperRegistry).type.not.toBeCallableWith({ hosts: 'zk1:2181', prefix: '{cobrowse}' })
})

test('a token store of one\'s own takes ten lines', () => {
  const own = {
    start () {},
    status: () => ({ state: 'up' as const, since: 0 }),
    async close () {},
    async find (token: string) {
      return token === 'x' ? { tenantId: 't', channelId: 'c', userId: 'u' } : null
    }
  }
  expect(own).type.toBeAssignableTo<Sessions>()
  // "Cannot know" has to throw: undefined would be neither.
  expect({ ...own, find: async () => undefined }).type.not.toBeAssignableTo<Sessions>()
})
