import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { startDemo } from '../support/start-demo.js'
import { eventually, until } from '../support/until.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { ask } from './demo-client.js'
import { startLiveSession } from './live-session.js'
import type { Test } from 'tap'
import type { RunningDemo } from '../support/start-demo.js'

t.teardown(closeChromium)

async function startTwo (t: Test, env: Record<string, string>): Promise<[RunningDemo, RunningDemo]> {
  const [first, second] = await Promise.all([
    startDemo(t, { ...env, NODE_PREFIX: 'first', NODES: '1' }), startDemo(t, { ...env, NODE_PREFIX: 'second', NODES: '1' })
  ])
  if (first === undefined || second === undefined) throw new Error('two were started')
  for (const demo of [first, second]) {
    await eventually(async () => (await ask(demo, 'customer', 'recorder', 'first')).retCode, '0', 'the registry answers')
  }
  return [first, second]
}

/** Connects the customer to one process and the agent to the other; the node of each stops and comes back. */
async function checkSession (t: Test, [first, second]: [RunningDemo, RunningDemo]): Promise<void> {
  const session = await startLiveSession(t, { customer: first.base, agent: second.base })
  t.not(new URL(session.customer.page.url()).port, new URL(session.agent.page.url()).port)
  const ms = await session.type('name', 'across processes')
  t.comment(`typed text appears after ${Math.round(ms)} ms`)
  const { page } = session.topology
  await eventually(async () => await page.locator('.node').count(), 2, 'the nodes of both processes')
  for (const action of ['drain', 'stop'] as const) {
    const { left, ms } = await session.moveBy(action)
    t.comment(`${action}: both pages agree again after ${Math.round(ms)} ms`)
    await page.locator(`[data-node="${left}"] [data-action=resume]`).click()
    await until(async () => await page.locator(`[data-node="${left}"]`).getAttribute('data-state') === 'serving')
  }
  t.strictSame(session.complaints(), [])
}

t.test('two processes on one Redis – carry one session', { skip: withoutRedis || withoutChromium }, async (t) => {
  const redis = await startRedis(t)
  await skipSettling(connect(t, redis.port))
  await checkSession(t, await startTwo(t, { REDIS_URL: redis.url }))
})

t.test('two processes on one ZooKeeper – carry one session', { skip: withoutZooKeeper || withoutChromium }, async (t) => {
  const { hosts } = await startZooKeeper(t)
  await checkSession(t, await startTwo(t, { ZOOKEEPER_HOSTS: hosts }))
})
