import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Redis } from 'ioredis'
import { redisRegistry } from '../../../lib/registry/redis.js'
import * as ofGateway from '../../../lib/registry/redis/scripts/gateway.js'
import * as ofNode from '../../../lib/registry/redis/scripts/node.js'
import * as ofOperator from '../../../lib/registry/redis/scripts/operator.js'
import { redisSessions } from '../../../lib/sessions/redis.js'
import { makeToken, toUid } from '../../../lib/sessions/token.js'
import { membershipContract, operationsContract, registryContract, sessionsContract } from '../../../lib/testing/index.js'
import { ROOT } from '../../support/doc-blocks.js'
import { connect, patient, skipSettling, SLACK_MS, timesOf } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import type { Test } from 'tap'
import type { MakeRegistry } from '../../../types/contracts.js'

const DOC = readFileSync(`${ROOT}docs/adapters.md`, 'utf8')
/** Words in capitals within the scripts that are no commands. */
const OTHERS = new Set(['COUNT', 'LIMIT', 'MATCH', 'MAXLEN', 'WITHSCORES', 'WRONGTYPE'])
const ONLY_FOR_LISTED = new Set(['hscan', 'scan', 'strlen'])

/** The documented rights of a user, as arguments of ACL SETUSER. */
function rightsOf (user: string): string[] {
  const line = new RegExp(`^ACL SETUSER ${user} (.*)$`, 'm').exec(DOC)?.[1] ?? ''
  return line.replace('>PASSWORD', '>secret').split(' ')
}

/** A client that logs in as this user, with the keys of the test. */
async function connectAs (t: Test, admin: Redis, port: number, user: string, keys: string): Promise<Redis> {
  const rights = rightsOf(user)
  await admin.call('ACL', 'SETUSER', user, ...rights.map((right) => right.startsWith('~') ? keys : right))
  return connect(t, port, { username: user, password: 'secret' })
}

t.test('the documented rights of a registry – name the commands of the scripts, and no others', async (t) => {
  const texts = Object.values({ ...ofGateway, ...ofNode, ...ofOperator }).flatMap((script) => 'text' in script ? [script.text] : [])
  const commands = texts.flatMap((text) => [...text.matchAll(/'([A-Z]{3,})'/g)].map(([, word = '']) => word))
  const used = new Set(commands.filter((word) => !OTHERS.has(word)).map((word) => word.toLowerCase()))
  for (const name of ONLY_FOR_LISTED) t.ok(used.delete(name) && DOC.includes(`\`+${name}\``), name)
  const ofClient = ['hello', 'auth', 'client', 'ping', 'select', 'eval', 'evalsha']
  const documented = rightsOf('cobrowse').filter((right) => right.startsWith('+')).map((right) => right.slice(1))
  t.strictSame(documented.sort(), [...used, ...ofClient].sort())
})

t.test('a registry – whose user has the documented rights only – keeps the contract', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const admin = connect(t, port)
  const redis = await connectAs(t, admin, port, 'cobrowse', '~{test-*')
  // As documented for `rooms` of an operator.
  t.match(DOC, /`rooms` of the \[command\]\(command\.md\)\s+needs\s+`\+scan`/)
  await admin.call('ACL', 'SETUSER', 'cobrowse', '+scan')
  await t.test('contract', async (t) => {
    t.jobs = 8
    let last = 0
    const make: MakeRegistry = async (times) => {
      const prefix = `{test-${++last}}`
      await skipSettling(admin, prefix)
      const makeOne = () => redisRegistry({ redis, prefix, ...timesOf(times) })
      return { registry: patient(makeOne()), nodes: makeOne() }
    }
    const settings = { test: t.test, slack: SLACK_MS }
    await Promise.all([registryContract, membershipContract, operationsContract].map(
      async (contract) => await contract(settings, make)))
  })
  t.strictSame(await admin.call('ACL', 'LOG'), [], 'nothing was denied')
})

t.test('a token store – whose user has the documented rights only – keeps the contract', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const admin = connect(t, port)
  const redis = await connectAs(t, admin, port, 'tokens', '~TOKENKEY:*')
  await sessionsContract({ test: t.test }, async () => ({
    sessions: redisSessions({ redis, prefix: 'TOKENKEY:' }),
    async issue (session) {
      const token = makeToken(session, Date.now())
      await admin.set(`TOKENKEY:${toUid(session)}`, token)
      return token
    },
    async revoke (session) { await admin.del(`TOKENKEY:${toUid(session)}`) }
  }))
  t.strictSame(await admin.call('ACL', 'LOG'), [], 'nothing was denied')
})
