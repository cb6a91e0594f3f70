import { once } from 'node:events'
import { WebSocket } from 'ws'
import t from 'tap'
import { checkNode, startToxicProxy } from '../../../lib/testing/index.js'
import { leaving } from '../../../lib/testing/conformance/rules/leaving.js'
import { NotChecked } from '../../../lib/testing/conformance/result.js'
import { stepsFor } from '../../../lib/testing/conformance/rules/index.js'
import { connect, skipSettling } from '../../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { PATIENCE, SIGNING, startTestNode, TIMES } from './start-node.js'
import type { Test } from 'tap'
import type { Fault } from '../../../lib/testing/conformance/faults.js'
import type { Fixture } from '../../../lib/testing/conformance/fixture.js'
import type { CheckNodeOptions } from '../../../lib/testing/index.js'

const PREFIX = '{report}'
const RULES = stepsFor('Redis').flatMap(({ rules }) => rules.map(({ id }) => id))
const never = async () => await new Promise<void>(() => {})

/** Fixture with two clients of a node that has left; the rule uses no more of it. */
function fixtureOf (client: { end: object | undefined }, registration: () => Promise<null>): Fixture {
  return {
    settings: { recoverMs: 1 },
    store: { registration },
    pair: async () => ({ recorder: client, replayer: client }),
    node: async () => ({ id: 'node' }),
    refused: async () => {}
  } as unknown as Fixture
}

t.test('a closed room that the runner saw too late – nothing is said about the order of leaving', async (t) => {
  const fault = { begin: async () => 0 } as unknown as Fault
  const [leaves] = leaving
  const fixture = fixtureOf({ end: undefined }, async () => null)
  await t.rejects(Promise.resolve(leaves?.check(fixture, fault)), NotChecked)
})

t.test('a node that drains for longer than it needs to register – its rooms close at last – the rule is kept', async (t) => {
  const client: { end: object | undefined } = { end: undefined }
  let isAsked = false
  const fixture = fixtureOf(client, async () => {
    isAsked = true
    return null
  })
  const begunAt = performance.now()
  const fault = {
    async begin () {
      await until(() => performance.now() > begunAt + 100)
      client.end = {}
      await until(() => isAsked, 'the runner looks while the node stops')
    }
  } as unknown as Fault
  await leaving[0]?.check(fixture, fault)
  t.ok(isAsked)
})

t.test('checks of a good node', { skip: withoutRedis }, async (t) => {
  async function start (t: Test, cutBy?: 'refuse') {
    const server = await startRedis(t)
    const redis = connect(t, server.port)
    await skipSettling(redis, PREFIX)
    const { id, ...node } = await startTestNode(t, { redisPort: server.port, prefix: PREFIX, ...cutBy && { cutBy } })
    const times = { ...TIMES, patience: PATIENCE }
    const options: CheckNodeOptions = { redis, prefix: PREFIX, nodeId: id, signing: SIGNING, ...times, WebSocket }
    return { server, redis, node, options }
  }

  t.test('options that are missing – the report passes and is not complete, and the last line says so', async (t) => {
    const { options } = await start(t)
    const lines: string[] = []
    const only = ['registers', 'admits', 'claims', 'leaves']
    const { passed, complete } = await checkNode({ ...options, only, log: (line) => lines.push(line) })
    t.match({ passed, complete }, { passed: true, complete: false })
    t.equal(lines.at(-1), `passed, ${RULES.length - 3} of ${RULES.length} not checked`)
  })

  t.test('Redis that goes away midway – the report keeps what was found, and names Redis', async (t) => {
    const { server, options } = await start(t)
    const found: string[] = []
    function log (line: string): void {
      const [outcome, id = ''] = line.split(': ')
      if (outcome !== 'kept') return
      found.push(id)
      if (id === 'record') server.kill().catch(() => {})
    }
    const report = await checkNode({ ...options, log })
    const outcomeOf = (id: string) => report.rules.find((rule) => rule.id === id)?.outcome
    t.match({ passed: report.passed, complete: report.complete }, { passed: false, complete: false })
    t.ok(found.includes('record'))
    t.strictSame(found.filter((id) => outcomeOf(id) !== 'kept'), [])
    const others = report.rules.filter(({ id }) => !found.includes(id))
    t.strictSame(others.filter(({ outcome }) => outcome !== 'not checked'), [])
    t.strictSame(others.filter(({ detail = '' }) => !/^(Redis cannot be asked: |it needs the options )/.test(detail)), [])
  })

  t.test('a client that is not connected yet – the check waits for Redis', async (t) => {
    const { server, redis, options } = await start(t)
    await server.kill()
    await until(() => redis.status === 'reconnecting')
    const checked = checkNode({ ...options, lease: 20_000, only: ['registers'] })
    checked.catch(() => {})
    await server.restart()
    t.match((await checked).rules[0], { id: 'registers' })
  })

  t.test('a node that listens after it has registered – the check waits for the node', async (t) => {
    const { redis, options } = await start(t)
    const [member] = await redis.hkeys(`${PREFIX}:nodes`)
    const { wssUrl } = JSON.parse(await redis.hget(`${PREFIX}:nodes`, String(member)) ?? '')
    const listenPort = await findFreePort()
    let attempts = 0
    class LateSocket extends WebSocket {
      constructor (address: string, protocols: string[]) {
        super(address, protocols)
        if (++attempts > 1) return
        once(this, 'error').then(async () => {
          const proxy = await startToxicProxy({ port: Number(new URL(wssUrl).port), listenPort })
          t.teardown(proxy.close)
        }, () => {})
      }
    }
    const address = `ws://127.0.0.1:${listenPort}/ws/cobrowse/1`
    const report = await checkNode({
      ...options, wssUrl: address, WebSocket: LateSocket, only: ['registers', 'admits']
    })
    t.ok(attempts > 1)
    t.match(report.rules.find(({ id }) => id === 'admits'), { outcome: 'kept' })
  })

  const hanging = { cut: 'cut-lone', heal: 'cut-returns', stop: 'leaves', start: 'restarts' } as const
  for (const [name, rule] of Object.entries(hanging)) {
    t.test(`a function "${name}" that never ends – ends the check with its name`, async (t) => {
      const { node, options } = await start(t)
      const given = { ...node, start: async () => {}, [name]: never }
      const check = checkNode({ ...options, ...given, timeout: 300, only: [rule] })
      await t.rejects(check, { message: `"${name}" of checkNode has not ended within 300 ms` })
    })
  }
})
