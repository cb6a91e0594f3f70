import { Redis } from 'ioredis'
import t from 'tap'
import { redisSessions } from '../../lib/sessions/redis.js'
import { makeToken, toUid } from '../../lib/sessions/token.js'
import { sessionsContract } from '../../lib/testing/index.js'
import { buildApp } from '../support/build-app.js'
import { silentLog } from '../support/silent-log.js'
import { REDIS_CLIENTS } from '../support/redis-clients.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { eventually, until } from '../support/until.js'
import type { Test } from 'tap'
import type { App } from '../support/build-app.js'

const PREFIX = 'TOKENKEY:'
const session = { tenantId: 't1', channelId: 'web', userId: 'u1' }
const token = makeToken(session, 1)
const signal = AbortSignal.timeout(120_000)

function connect (t: Test, port: number): Redis {
  const redis = new Redis(port, '127.0.0.1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}

t.test('a token store on a real Redis', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)

  const admin = connect(t, server.port)
  for (const [name, connect] of Object.entries(REDIS_CLIENTS)) {
    t.test(name, async (t) => {
      const redis = await connect(t, server.port)
      await sessionsContract({ test: t.test }, async () => {
        await admin.flushall()
        return {
          sessions: redisSessions({ redis, prefix: PREFIX }),
          async issue (session) {
            const token = makeToken(session, Date.now())
            await admin.set(PREFIX + toUid(session), token)
            return token
          },
          async revoke (session) { await admin.del(PREFIX + toUid(session)) }
        }
      })
    })
  }

  t.test('a wrapped token – is unwrapped, and one that cannot be unwrapped is unknown', async (t) => {
    const redis = connect(t, server.port)
    await redis.set(toUid(session), JSON.stringify({ token }))
    const decode = (stored: string) => JSON.parse(stored).token
    t.strictSame(await redisSessions({ redis, decode }).find(token, signal), session)
    t.equal(await redisSessions({ redis }).find(token, signal), null)
    await redis.set(toUid(session), 'no JSON')
    await t.rejects(redisSessions({ redis, decode }).find(token, signal), { name: 'AnsweredError', cause: SyntaxError })
  })

  t.test('a token that was valid – is asked for each time', async (t) => {
    const redis = connect(t, server.port)
    const sessions = redisSessions({ redis })
    await redis.set(toUid(session), token)
    t.strictSame(await sessions.find(token, signal), session)
    t.strictSame(await sessions.find(token, signal), session)
    await redis.set(toUid(session), makeToken(session, 2))
    t.equal(await sessions.find(token, signal), null)
  })

  t.test('a key of another type – is no token, and a forger learns nothing from it', async (t) => {
    const redis = connect(t, server.port)
    const other = { ...session, userId: 'u-hash' }
    await redis.hset(toUid(other), 'a', 'b')
    t.equal(await redisSessions({ redis }).find(makeToken(other, 1), signal), null)
  })

  t.test('a client of the host – is never closed', async (t) => {
    const redis = connect(t, server.port)
    const sessions = redisSessions({ redis })
    sessions.start({ log: silentLog, onState () {} })
    await sessions.close()
    t.equal(await redis.ping(), 'PONG')
  })
})

t.test('a token store without Redis – reports that it cannot know', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await redis.set(toUid(session), token)
  const sessions = redisSessions({ redis })
  const states: string[] = []
  sessions.start({ log: silentLog, onState: ({ state }) => states.push(state) })
  t.teardown(() => sessions.close())
  const settleAt = async (state: string) => await eventually<string>(() => sessions.status().state, state)
  await settleAt('up')

  server.pause()
  const startedAt = performance.now()
  await t.rejects(sessions.find(token, signal), { name: 'DeadlineError' }, 'the defaults of ioredis never give up')
  t.ok(performance.now() - startedAt < 3000)
  t.equal(sessions.status().state, 'down')
  server.resume()
  await settleAt('up')
  t.strictSame(await sessions.find(token, signal), session, 'the session after Redis went on')

  await server.kill()
  await until(() => redis.status !== 'ready', 'the client to notice')
  await t.rejects(sessions.find(token, signal))
  await settleAt('down')
  await server.restart()
  await settleAt('up')
  t.equal(await sessions.find(token, signal), null, 'an empty Redis has no token')
  t.strictSame(states, ['starting', 'up', 'down', 'up', 'down', 'up'])
})

t.test('a gateway – without Redis – can start', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const sessions = redisSessions({ redis: connect(t, server.port) })
  sessions.start({ log: silentLog, onState () {} })
  t.teardown(() => sessions.close())
  await t.rejects(sessions.find(token, signal))
  t.equal(await sessions.find('garbage', signal), null, 'a malformed token is invalid without asking')
  await server.restart()
  await eventually(() => sessions.status().state, 'up')
  t.equal(await sessions.find(token, signal), null)
})

t.test('wrong options – are rejected', async (t) => {
  const redis = { status: 'ready', get: async () => null }
  t.doesNotThrow(() => redisSessions({ redis }))
  const wrong: Array<[object, RegExp]> = [
    [{}, /"redis" option of redisSessions must be an ioredis client/],
    [{ redis: {} }, /"redis" option of redisSessions must be an ioredis client: it has no method "get"/],
    [{ redis, prefix: 1 }, /"prefix" option of redisSessions must be a string/],
    [{ redis, decode: 'x' }, /"decode" option of redisSessions must be a function/],
    [{ redis, key: 'x' }, /"key" is not an option of redisSessions/]
  ]
  // The options are wrong on purpose; the types reject all of them.
  for (const [options, message] of wrong) t.throws(() => redisSessions(options as never), { name: 'TypeError', message })
})

const kindOfToken = async (ask: App['ask'], token: string) =>
  (await ask({ headers: { cookie: `ccmessaging-token=${token}` } })).json().retCode

t.test('a stored text that "decode" cannot read – requested again and again – costs its token only', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = new Redis(port, '127.0.0.1')
  t.teardown(() => redis.disconnect())
  const good = makeToken(session, 1)
  const forged = makeToken({ tenantId: 'c', channelId: 'ounte', userId: 'r' }, 1)
  await redis.set('t1webu1', JSON.stringify({ token: good }))
  const failing: Record<string, (stored: string) => unknown> = {
    'it throws': (stored) => JSON.parse(stored).token,
    'it rejects': async (stored) => JSON.parse(stored).token,
    'it returns no text': (stored) => stored.startsWith('{') ? JSON.parse(stored).token : undefined,
    'it never returns': async (stored) =>
      stored.startsWith('{') ? JSON.parse(stored).token : await new Promise(() => {})
  }
  for (const [name, decode] of Object.entries(failing)) {
    await redis.set('counter', `not json ${good}`)
    const lines: string[] = []
    // A host without TypeScript may return anything.
    const sessions = redisSessions({ redis, decode: decode as (stored: string) => string })
    const { app, ask } = await buildApp(t, {
      options: { sessions, timeout: 1000 },
      server: { logger: { level: 'info', stream: { write (line: string) { lines.push(line) } } } }
    })
    const kindOf = async (token: string) => await kindOfToken(ask, token)
    await until(async () => await kindOf(good) === '0')
    for (let count = 0; count < 12; count++) t.equal(await kindOf(forged), '50305', name)
    t.equal(await kindOf(good), '0', `${name}: another token is found`)
    t.equal(app.cobrowse.status().sessions.state, 'up', name)
    t.match(lines.join(''), /AnsweredError: .+decode/, 'the log names the function')
    t.notMatch(lines.join(''), /not json|eyJ/, 'the log quotes nothing of the stored text')
  }
  await redis.lpush('list', 'x')
  const { ask } = await buildApp(t, { options: { sessions: redisSessions({ redis }) } })
  const ofList = makeToken({ tenantId: 'l', channelId: 'is', userId: 't' }, 1)
  t.equal(await kindOfToken(ask, ofList), '40102')
})

t.test('a key that the gateway may not read – named by a forger – costs its token only', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const admin = new Redis(port, '127.0.0.1')
  const redis = new Redis({ port, host: '127.0.0.1', username: 'gateway', password: 'secret', lazyConnect: true })
  redis.on('error', () => {})
  t.teardown(() => {
    admin.disconnect()
    redis.disconnect()
  })
  await admin.call('ACL', 'SETUSER', 'gateway', 'on', '>secret', '+@all', '~t1*', '~fastify-cobrowse-probe')
  await redis.connect()
  const sessions = redisSessions({ redis })
  const { app, ask } = await buildApp(t, { options: { sessions } })
  const kindOf = async (token: string) => await kindOfToken(ask, token)
  const good = makeToken(session, 1)
  await admin.set('t1webu1', good)
  for (let count = 0; count < 30; count++) {
    t.equal(await kindOf(makeToken({ tenantId: 'o', channelId: 'the', userId: 'r' }, 1)), '50305')
  }
  t.equal(await kindOf(good), '0')
  t.equal(app.cobrowse.status().sessions.state, 'up')
})

t.test('an unavailable token store – many requests – is not asked by each of them', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const redis = new Redis(server.port, '127.0.0.1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const sessions = redisSessions({ redis })
  let asked = 0
  const counting: typeof sessions = {
    ...sessions,
    async find (...args) {
      asked++
      return await sessions.find(...args)
    }
  }
  const { ask } = await buildApp(t, { options: { sessions: counting, timeout: 500 } })
  await server.kill()
  for (let count = 0; count < 60; count++) t.equal((await ask()).json().retCode, '50305')
  t.ok(asked < 30, `asked ${asked} times`)
})
