import t from 'tap'
import { memoryRegistry } from '../../lib/index.js'
import { NODES } from '../support/build-app.js'
import { connect, makeRegistry } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { CORDON, startAdmin } from './start-admin.js'
import type { AuthorizeOperator } from '../../types/admin.js'
import type { RegistryOperations } from '../../types/operations.js'

const ORDER = '/api/nodes/node-1/order'
const MOVE = '/api/rooms/move'
const EVERYTHING = [
  ['GET', '/'], ['GET', '/assets/admin.js'], ['GET', '/api/operator'], ['GET', '/api/nodes'], ['GET', '/api/orders'],
  ['PUT', ORDER], ['DELETE', ORDER], ['POST', '/api/rooms/explain'], ['POST', MOVE], ['POST', '/api/rooms/end']
] as const
const ROOM = { tenant: 't', room: 'r' }
const BODIES: Record<string, object> = { PUT: CORDON, POST: ROOM }
const bodyOf = (method: string, path: string) => path === MOVE ? { ...ROOM, reason: 'a test' } : BODIES[method]
const hang = async <T>() => await new Promise<T>(() => {})

/** A registry with these operations in place of its own. */
function registryWith (operations: Partial<RegistryOperations>) {
  const registry = memoryRegistry({ nodes: NODES })
  return { ...registry, ...registry.operations && { operations: { ...registry.operations, ...operations } } }
}

t.test('a caller whom authorize refuses – by any means – gets nothing, and changes nothing', async (t) => {
  const refusals: Record<string, AuthorizeOperator> = {
    false: () => false,
    null: async () => null,
    undefined: () => undefined,
    'an empty text': () => '',
    'a rejection with a status': async () => { throw Object.assign(new Error('no'), { statusCode: 401 }) }
  }
  for (const [name, authorize] of Object.entries(refusals)) {
    const registry = memoryRegistry({ nodes: NODES })
    const { ask } = await startAdmin(t, { registry, authorize })
    for (const [method, path] of EVERYTHING) {
      const response = await ask(method, path, bodyOf(method, path))
      t.match([response.statusCode, response.json()], [403, { retCode: '40301' }], `${name}: ${method} ${path}`)
    }
    t.equal((await registry.operations?.orders())?.size, 0)
  }
})

t.test('an answer of authorize that cannot be an author – is a defect that the log names', async (t) => {
  for (const author of [true, {}, 'x'.repeat(65), 'two\nlines']) {
    // A host in JavaScript may return anything.
    const { ask, lines } = await startAdmin(t, { authorize: () => author as string })
    t.equal((await ask('PUT', ORDER, CORDON)).statusCode, 500)
    t.match(lines.find(({ level }) => level === 50)?.reason, /"authorize" must return the author/)
  }
})

t.test('the author – is that of authorize, whatever the request contains', async (t) => {
  const registry = memoryRegistry({ nodes: NODES })
  const { ask } = await startAdmin(t, { registry, authorize: ({ headers }) => String(headers['x-login']) })
  const headers = { 'x-login': 'li', author: 'mallory' }
  t.equal((await ask('PUT', `${ORDER}?author=mallory`, CORDON, { headers })).statusCode, 200)
  t.equal((await registry.operations?.orders())?.get('node-1')?.author, 'li')
})

t.test('a page of another site – cannot read or change anything', async (t) => {
  const registry = memoryRegistry({ nodes: NODES })
  const { ask } = await startAdmin(t, { registry, allowedOrigins: ['https://portal.example'] })
  const bad: Array<Record<string, string>> = [
    { origin: 'https://evil.test' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' }, { origin: 'https://gateway.example:8443', host: 'gateway.example' }
  ]
  for (const headers of bad) {
    for (const [method, path] of EVERYTHING.filter(([, path]) => path.startsWith('/api/'))) {
      const response = await ask(method, path, bodyOf(method, path), { headers })
      t.match([response.statusCode, response.json()], [403, { retCode: '40302' }], `${method} ${path} ${JSON.stringify(headers)}`)
    }
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const response = await ask('PUT', ORDER, undefined, { payload: JSON.stringify(CORDON), headers: { 'content-type': type } })
    t.match([response.statusCode, response.json()], [415, { retCode: '41501' }], type)
  }
  t.equal((await registry.operations?.orders())?.size, 0)

  const good: Array<Record<string, string>> = [
    {}, { 'sec-fetch-site': 'same-origin' }, { origin: 'https://gateway.example', host: 'gateway.example' },
    { origin: 'https://portal.example', 'sec-fetch-site': 'cross-site' }
  ]
  for (const headers of good) t.equal((await ask('PUT', ORDER, CORDON, { headers })).statusCode, 200, JSON.stringify(headers))
  t.equal((await ask('GET', '/', undefined, { headers: { 'sec-fetch-site': 'cross-site' } })).statusCode, 200, 'a link')
})

t.test('a registry or an authorize that hangs – is answered in time', async (t) => {
  // Longer than a busy machine takes to read the requests: a body that is read late is answered 40801.
  const timeout = 1000
  const slow = registryWith({ nodes: hang, orders: hang, setOrder: hang, explain: hang, move: hang })
  const { ask, lines } = await startAdmin(t, { timeout, registry: { ...slow, end: hang } })
  const asked = EVERYTHING.filter(([, path]) => path.startsWith('/api/') && path !== '/api/operator')
  const startedAt = performance.now()
  const answers = await Promise.all(asked.map(async ([method, path]) => await ask(method, path, bodyOf(method, path))))
  t.ok(performance.now() - startedAt < 10_000)
  for (const response of answers) {
    t.match([response.statusCode, response.json()], [503, { retCode: '50302' }])
    t.equal(response.headers['retry-after'], '1')
  }
  t.match(lines.filter(({ msg }) => msg === 'operator may have acted'), [
    { operation: 'cordon', author: 'anna', node: 'node-1', fault: /DeadlineError/ }, { operation: 'take back' },
    { operation: 'move' }, { operation: 'end' }
  ])

  const undecided = await startAdmin(t, { timeout, authorize: hang })
  t.equal((await undecided.ask('GET', '/api/nodes')).json().retCode, '50306')
})

t.test('many requests to a registry that hangs – are bounded', async (t) => {
  const { ask } = await startAdmin(t, { timeout: 2000, registry: registryWith({ nodes: hang }) })
  const answers = await Promise.all(Array.from({ length: 80 }, async () => (await ask('GET', '/api/nodes')).json().retCode))
  const refused = answers.filter((retCode) => retCode === '50306').length
  // A machine that is late itself answers more of them so.
  t.ok(refused >= 16, `${refused} refused`)
})

t.test('a Redis that is down or paused – is answered 50302 in time', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  const registry = makeRegistry(t, connect(t, redis.port, { maxRetriesPerRequest: 0 }))
  const { ask } = await startAdmin(t, { registry, timeout: 500 })
  t.equal((await ask('GET', '/api/nodes')).statusCode, 200)
  redis.pause()
  const [read, write] = await Promise.all([ask('GET', '/api/nodes'), ask('PUT', ORDER, CORDON)])
  for (const response of [read, write]) t.match([response.statusCode, response.json()], [503, { retCode: '50302' }])
  redis.resume()
  await redis.kill()
  t.equal((await ask('GET', '/api/orders')).json().retCode, '50302')
})
