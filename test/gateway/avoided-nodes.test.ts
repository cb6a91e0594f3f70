import t from 'tap'
import { createAvoidedNodes } from '../../lib/gateway/avoided-nodes.js'
import { memoryRegistry } from '../../lib/index.js'
import { body, buildApp } from '../support/build-app.js'
import { silentLog } from '../support/silent-log.js'
import type { NodeView } from '../../types/index.js'

const IDS = ['n1', 'n2', 'n3', 'n4']
const view = (id: string, incarnation = 'i'): NodeView =>
  ({ id, incarnation, wssUrl: `wss://${id}.example/ws`, weight: 1, draining: false, rooms: 0 })
const views = IDS.map((id) => view(id))

function setUp () {
  let now = 0
  const warnings: unknown[] = []
  const log = { ...silentLog, warn: (details: unknown) => { warnings.push(details) } }
  const avoided = createAvoidedNodes(log, () => now)
  return {
    avoided,
    warnings,
    pass: (ms: number) => { now += ms },
    order: () => avoided.order(views).map(({ id }) => id).join(' '),
    report: (id: string, ...users: string[]) => { for (const user of users) avoided.report(view(id), user) }
  }
}

t.test('a node that three users report – comes last for half a minute', async (t) => {
  const { avoided, warnings, order, pass, report } = setUp()
  t.ok(avoided.isEmpty())
  report('n1', 'u1', 'u2')
  t.ok(avoided.isEmpty())
  t.equal(order(), 'n1 n2 n3 n4')
  report('n1', 'u3')
  t.equal(order(), 'n2 n3 n4 n1')
  t.strictSame(warnings, [{ node: 'n1' }])
  t.notOk(avoided.isEmpty())
  pass(29_000)
  t.equal(order(), 'n2 n3 n4 n1')
  pass(1001)
  t.equal(order(), 'n1 n2 n3 n4')
  t.ok(avoided.isEmpty())
})

t.test('one user – reports a node again and again, or late – moves nothing', async (t) => {
  const { order, pass, report, warnings } = setUp()
  report('n1', ...Array.from({ length: 100 }, () => 'u1'))
  t.equal(order(), 'n1 n2 n3 n4')
  report('n1', 'u2')
  pass(30_001)
  report('n1', 'u3')
  t.equal(order(), 'n1 n2 n3 n4', 'the first two reports are too old')
  t.strictSame(warnings, [])
})

t.test('more than half of the nodes – are reported – the order stays', async (t) => {
  const { order, report } = setUp()
  for (const id of ['n1', 'n2']) report(id, 'u1', 'u2', 'u3')
  t.equal(order(), 'n3 n4 n1 n2')
  report('n3', 'u1', 'u2', 'u3')
  t.equal(order(), 'n1 n2 n3 n4')
})

t.test('a node that was restarted – is not avoided for what its earlier process did', async (t) => {
  const { avoided, report } = setUp()
  report('n1', 'u1', 'u2', 'u3')
  t.equal(avoided.order([view('n1', 'next'), view('n2')])[0]?.id, 'n1')
})

t.test('reports about many nodes – take bounded memory', async (t) => {
  const { avoided, order, report } = setUp()
  for (let index = 0; index < 2000; index++) avoided.report(view(`x${index}`), 'u1')
  report('n1', 'u1', 'u2', 'u3')
  t.equal(order(), 'n1 n2 n3 n4', 'there is no room for a further one')
})

/** An application with two nodes, on which users ask for rooms of their own. */
async function setUpApp (t: Parameters<typeof buildApp>[0]) {
  const registry = memoryRegistry()
  for (const id of IDS) await registry.join({ id, wssUrl: `wss://${id}.example/ws` })
  const { ask, app } = await buildApp(t, { options: { registry, authorize: () => true } })
  let rooms = 0
  async function answerFor (userId: string, more: object = {}) {
    const answer = await ask({ payload: { ...body, userId, roomId: `room-${rooms++}`, ...more } })
    const { retCode, retMsg, data } = answer.json()
    return { retCode, retMsg, signature: data?.signature, id: /wss:\/\/(\w+)/.exec(data?.wssUrl)?.[1] }
  }
  /** Asks until the answer names this node. */
  async function signatureFor (userId: string, id: string): Promise<string> {
    for (;;) {
      const answer = await answerFor(userId)
      if (answer.id === id) return answer.signature
    }
  }
  async function nodesOfNewRooms (): Promise<Set<string | undefined>> {
    const ids = []
    for (let count = 0; count < 20; count++) ids.push((await answerFor('somebody')).id)
    return new Set(ids)
  }
  return { app, answerFor, signatureFor, nodesOfNewRooms }
}

t.test('three users – send back signatures for a node that they could not open – new rooms go elsewhere', async (t) => {
  const { answerFor, signatureFor, nodesOfNewRooms } = await setUpApp(t)
  t.ok((await nodesOfNewRooms()).has('n1'))
  for (const user of ['u1', 'u2', 'u3']) {
    t.match(await answerFor(user, { unopened: await signatureFor(user, 'n1') }), { retCode: '0' })
  }
  t.strictSame([...await nodesOfNewRooms()].sort(), ['n2', 'n3', 'n4'])
})

t.test('signatures that were changed, are of another user, or no signatures – move nothing', async (t) => {
  const { answerFor, signatureFor, nodesOfNewRooms } = await setUpApp(t)
  const good = await signatureFor('u1', 'n1')
  const [header = '', claims = '', mac = ''] = good.split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const change = (user: string) => encode({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: user })
  for (const user of ['u2', 'u3', 'u4']) {
    for (const unopened of [
      good, `${header}.${change(user)}.${mac}`, `${header}.${change(user)}.`, `${encode({ alg: 'none' })}.${change(user)}.`,
      'x', '', '..', `${encode({ kid: '__proto__' })}.${claims}.${mac}`
    ]) t.match(await answerFor(user, { unopened }), { retCode: '0' })
  }
  t.ok((await nodesOfNewRooms()).has('n1'))
  t.match(await answerFor('u1', { unopened: 1 }), { retCode: '40001', retMsg: 'unopened must be the signature of an earlier answer' })
  t.match(await answerFor('u1', { unopened: 'x'.repeat(2049) }), { retCode: '40001' })
})
