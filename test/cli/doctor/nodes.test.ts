import t from 'tap'
import { judgeAddresses } from '../../../lib/cli/doctor/addresses.js'
import { judgeNodes } from '../../../lib/cli/doctor/nodes.js'
import { judgeOrders } from '../../../lib/cli/doctor/orders.js'
import { expectFinding } from './expect.js'
import type { OperatedNode } from '../../../types/operations.js'

const DAY_MS = 86_400_000
const NOW = Date.now()
const order = { kind: 'cordon', reason: 'kernel', author: 'anna', at: NOW - 2 * DAY_MS } as const
const many = (fields: Partial<OperatedNode>): OperatedNode[] =>
  Array.from({ length: 12 }, (_, at) => ({ id: `n${at}`, state: 'serving', ...fields }))

t.test('doctor – many nodes with the same fault – are a few lines', async (t) => {
  const rejected = judgeNodes(many({ state: 'rejected', fault: 'node record: is missing' }))
  t.equal(rejected.length, 12)
  expectFinding(t, rejected, ['nodes', 'fault', /^gateways reject 2 more$/])
  expectFinding(t, judgeNodes(many({ state: 'lapsed' })), ['nodes', 'warning', /: n0, n1, n2, n3, n4 and 7 more$/])
  const ordered = judgeOrders(many({ order }), NOW)
  t.equal(ordered.length, 11)
  expectFinding(t, ordered, ['orders', 'warning', /^2 more that are old/])
})

t.test('doctor – all nodes are full – is a fault', async (t) => {
  expectFinding(t, judgeNodes(many({ rooms: 3, capacity: 3 })), ['nodes', 'fault', /^all that serve are full: n0/])
})

t.test('doctor – orders – are old after a day', async (t) => {
  const young = many({ order: { ...order, at: NOW - DAY_MS + 1000 } })
  expectFinding(t, judgeOrders(young, NOW), ['orders', 'ok', /^12, none older than a day$/])
  expectFinding(t, judgeOrders(many({}), NOW), ['orders', 'ok', /^there is none$/])
})

t.test('doctor – addresses of nodes – may have one path only if their external addresses differ', async (t) => {
  const node = (id: string, host: string, wssUrlOut?: string): OperatedNode =>
    ({ id, state: 'serving', wssUrl: `wss://${host}/ws`, wssUrlOut })
  const [one, two] = [node('n1', 'a', 'wss://out/1'), node('n2', 'b', 'wss://out/2')]
  expectFinding(t, judgeAddresses([one, two]), ['addresses', 'ok', /of its own$/])
  expectFinding(t, judgeAddresses([node('n1', 'a'), node('n2', 'b')]), ['addresses', 'warning', /^n1, n2 have the same path \/ws/])
  const external = judgeAddresses([node('n1', 'a', 'wss://out/1'), node('n2', 'b', 'wss://out/1')])
  expectFinding(t, external, ['addresses', 'fault', /^n1, n2 have the same address wss:\/\/out\/1$/])
  t.strictSame(judgeAddresses([]), [])
})
