import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { connect, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { nodeRecord } from '../../lib/testing/contracts/rooms.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'

const WORKER = fileURLToPath(new URL('race-worker.mjs', import.meta.url))
const PROCESSES = 8
const CALLS = 8
const ROOMS = 200
const NODES = 4
/** Number of rooms after which one node leaves and another joins. */
const CHANGE_EVERY = 25

async function startGateways (t: Test, port: number): Promise<ChildProcess[]> {
  const children = Array.from({ length: PROCESSES }, (_value, index) =>
    fork(WORKER, [String(port), index % 2 === 0 ? '5' : '6'], { execArgv: [] }))
  t.teardown(() => children.forEach((child) => child.kill('SIGKILL')))
  await Promise.all(children.map(async (child) => await once(child, 'message')))
  return children
}

async function askFor (room: string, gateway: ChildProcess): Promise<string[]> {
  const answers = once(gateway, 'message')
  gateway.send({ room, calls: CALLS })
  // The worker sends answers only, once it is ready.
  return (await answers)[0] as string[]
}

t.test('64 concurrent first requests in eight processes – nodes join, leave and claim – name one node', {
  skip: withoutRedis, timeout: 100_000
}, async (t) => {
  const { port } = await startRedis(t)
  await skipSettling(connect(t, port))
  const registry = makeRegistry(t, connect(t, port), { heartbeat: 2000, lease: 6000, linger: 20 })
  const join = async (number: number) => await registry.join(nodeRecord(`n${number}`))
  const members = await Promise.all(Array.from({ length: NODES }, async (_value, number) => await join(number)))
  const startedAt = performance.now()
  const gateways = await startGateways(t, port)
  t.comment(`eight processes were ready after ${Math.round(performance.now() - startedAt)} ms`)

  const faults: string[] = []
  const chosen = new Map<string, number>()
  for (let number = 1; number <= ROOMS; number++) {
    const room = `room-${number}`
    if (number % CHANGE_EVERY === 0) {
      await members.shift()?.leave()
      members.push(await join(NODES + number))
    }
    // All nodes try to claim the room at the same time.
    const claims = members.map(async (member) => [`${member.id}|${member.incarnation}`,
      await member.claim({ tenant: 't1', room })])
    const answers = new Set((await Promise.all(gateways.map(async (gateway) => await askFor(room, gateway)))).flat())
    const claimed = (await Promise.all(claims)).filter(([, result]) => result === 'ok').map(([name]) => name)
    const [node = ''] = answers
    const isLiving = members.some(({ id, incarnation }) => node === `${id}|${incarnation}`)
    if (answers.size !== 1 || !isLiving || claimed.some((name) => name !== node)) {
      faults.push(`${room}: answered ${[...answers]}, claimed by ${claimed}`)
    }
    chosen.set(node, (chosen.get(node) ?? 0) + 1)
  }
  t.comment(`${ROOMS} rooms, ${PROCESSES * CALLS * ROOMS} requests, ${Math.round(performance.now() - startedAt)} ms`)
  t.strictSame(faults, [])
  t.ok(chosen.size > NODES, `${chosen.size} nodes had rooms`)
})
