import t from 'tap'
import { memoryRegistry } from '../../lib/index.js'
import { NODES } from '../support/build-app.js'
import { connect, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { eventually, until } from '../support/until.js'
import { CORDON, startAdmin, withNodes } from './start-admin.js'
import type { Test } from 'tap'
import type { Admin } from './start-admin.js'
import type { Registry } from '../../types/index.js'

const ORDER = '/api/nodes/node-1/order'
const DRAIN = { kind: 'drain', reason: 'disk is full', deadline: 60_000, returnWithin: 2000 }

/** The operations on a registry with the node `node-1`. */
async function operate (t: Test, { ask, lines }: Admin, registry: Registry): Promise<void> {
  const first = async () => {
    const { nodes } = (await ask('GET', '/api/nodes')).json<{ nodes: Array<{ id: string, state: string, order?: object }> }>()
    return nodes.find(({ id }) => id === 'node-1')
  }
  t.match(await first(), { state: 'serving', wssUrl: /^wss:/, rooms: 0 })
  const cordoned = await ask('PUT', ORDER, CORDON)
  t.equal(cordoned.statusCode, 200)
  t.strictSame(cordoned.json(), { id: 'node-1', order: { ...CORDON, author: 'anna' } })
  t.match(await first(), { state: 'cordoned', order: { ...CORDON, author: 'anna', at: Number } })

  t.strictSame((await ask('PUT', ORDER, DRAIN)).json(), { id: 'node-1', order: { ...DRAIN, author: 'anna' } })
  t.match(await first(), { state: 'draining', order: DRAIN })
  t.match((await ask('PUT', '/api/nodes/absent/order', { kind: 'drain', reason: 'broken' })).json(), {
    order: { deadline: 600_000, returnWithin: 0 }
  })
  const { orders } = (await ask('GET', '/api/orders')).json<{ orders: Array<{ id: string }> }>()
  t.match(orders.sort((one, other) => one.id < other.id ? -1 : 1), [{ id: 'absent', kind: 'drain' }, { id: 'node-1', ...DRAIN }])

  t.strictSame((await ask('DELETE', `${ORDER}?reason=done`)).json(), { id: 'node-1', order: null })
  t.strictSame((await ask('DELETE', ORDER)).json(), { id: 'node-1', order: null }, 'no order is no error')
  await eventually(async () => (await first())?.state, 'serving', 'the node hears of it')

  const room = { tenant: 't1', room: 'call-1' }
  await until(async () => await registry.assign(room).catch(() => undefined), 'a new room')
  t.strictSame((await ask('POST', '/api/rooms/end', { ...room, reason: 'a test' })).json(), { ...room, ended: true })

  const acted = lines.filter(({ msg }) => msg === 'operator acted')
  t.strictSame(acted.map(({ operation, author, node, reason }) => [operation, author, node, reason]), [
    ['cordon', 'anna', 'node-1', CORDON.reason],
    ['drain', 'anna', 'node-1', DRAIN.reason],
    ['drain', 'anna', 'absent', 'broken'],
    ['take back', 'anna', 'node-1', 'done'],
    ['take back', 'anna', 'node-1', undefined],
    ['end', 'anna', undefined, 'a test']
  ])
  t.match(acted[1], { plugin: 'fastify-cobrowse', level: 30, deadline: 60_000, returnWithin: 2000 })
  t.match(acted[5], { tenant: 't1', room: /^[\w-]{16}$/ }, 'the log does not name the room')
}

t.test('the API – on memory – shows nodes, gives orders, takes them back, and ends calls', async (t) => {
  const registry = memoryRegistry({ nodes: NODES })
  await operate(t, await startAdmin(t, { registry }), registry)
})

t.test('the API – on Redis – does the same, and other gateways follow', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  await skipSettling(connect(t, port))
  const gateway = makeRegistry(t, connect(t, port), { lease: 30_000 })
  const member = await gateway.join({ id: 'node-1', wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1' })
  const registry = makeRegistry(t, connect(t, port), { lease: 30_000 })
  const operator = await startAdmin(t, { registry })
  await operate(t, operator, gateway)
  t.equal(registry.status().state === 'starting' || registry.status().state === 'up', true, 'the plugin started it')
  await operator.ask('PUT', ORDER, CORDON)
  await eventually(() => member.order?.author, 'anna', 'the node hears of its order')
  await operator.app.close()
  t.equal(registry.status().state, 'closed')
})

t.test('a room – explained and moved – gets another node, and the log has the author and no room', async (t) => {
  const registry = await withNodes('node-1', 'node-2')
  const { ask, lines } = await startAdmin(t, { registry })
  const room = { tenant: 't1', room: 'call-1' }
  const post = async (verb: string, rest: object = {}) => (await ask('POST', `/api/rooms/${verb}`, { ...room, ...rest })).json()
  const why = { reason: 'the picture freezes' }
  t.match(await post('explain'), { now: Number, explanation: { next: /^one of 2 nodes/, candidates: ['node-1', 'node-2'] } })
  t.strictSame(await post('move', why), { ...room, outcome: 'unbound' })

  const { node: { id: from } } = await registry.assign(room)
  const to = from === 'node-1' ? 'node-2' : 'node-1'
  t.match(await post('explain'), { explanation: { binding: { node: from, state: 'assigned' } } })
  t.strictSame(await post('move', { ...why, to }), { ...room, outcome: 'moved', from })
  t.match(await post('explain'), { explanation: { binding: { node: from, state: 'moved', target: to } } })
  t.equal((await registry.assign(room)).node.id, to)

  const line = { plugin: 'fastify-cobrowse', operation: 'move', author: 'anna', tenant: 't1', room: /^[\w-]{16}$/, ...why }
  t.match(lines.filter(({ msg }) => msg === 'operator acted'), [line, { ...line, to }])
  t.notMatch(JSON.stringify(lines), 'call-1')
})

t.test('a move that is not valid – names the field, and the room stays', async (t) => {
  const registry = await withNodes('node-1', 'node-2')
  const { ask, lines } = await startAdmin(t, { registry })
  const room = { tenant: 't1', room: 'call-1' }
  const { node: { id: from } } = await registry.assign(room)
  const wrong: Array<[payload: object, text: RegExp]> = [
    [{}, /^reason must be a text of 1 to 200 characters/],
    [{ reason: 'x', to: 'n 2' }, /^to must be the id of a node: 1 to 64/],
    [{ reason: 'x', to: 'n9' }, /^to: n9 may take no room \(it is not registered\)$/],
    [{ reason: 'x', to: from }, /^to: the room is on node-\d already$/],
    [{ reason: 'x', author: 'mallory' }, /^the body takes tenant, room, reason, to, and nothing else$/]
  ]
  for (const [payload, text] of wrong) {
    const response = await ask('POST', '/api/rooms/move', { ...room, ...payload })
    t.match([response.statusCode, response.json()], [400, { retCode: '40001', retMsg: text }], JSON.stringify(payload))
  }
  t.match((await ask('POST', '/api/rooms/explain', { tenant: 't1' })).json(), { retMsg: /^room must be a string of 1 to 64/ })
  t.equal((await registry.assign(room)).node.id, from)
  t.notOk(lines.some(({ msg }) => /^operator/.test(String(msg))))
})

t.test('an operator – asks – learns its name and the verbs of the registry', async (t) => {
  const { ask } = await startAdmin(t)
  t.strictSame((await ask('GET', '/api/operator')).json(), { author: 'anna', verbs: ['order', 'explain', 'move', 'end'] })
  const { end, ...endless } = memoryRegistry()
  const other = await startAdmin(t, { registry: endless })
  t.strictSame((await other.ask('GET', '/api/operator')).json(), { author: 'anna', verbs: ['order', 'explain', 'move'] })
  t.equal((await other.ask('POST', '/api/rooms/end', { tenant: 't', room: 'r' })).statusCode, 404)
})

t.test('a request that is not valid – names the field, and changes nothing', async (t) => {
  const registry = memoryRegistry({ nodes: NODES })
  const { ask } = await startAdmin(t, { registry })
  const wrong: Array<[path: string, payload: object, text: RegExp]> = [
    [ORDER, {}, /^kind must be "cordon" or "drain"$/],
    [ORDER, { kind: 'stop', reason: 'x' }, /^kind must be "cordon" or "drain"$/],
    [ORDER, { kind: 'cordon' }, /^reason must be a text of 1 to 200 characters, without line breaks$/],
    [ORDER, { ...CORDON, reason: 'x'.repeat(201) }, /^reason must be/],
    [ORDER, { ...CORDON, reason: 'two\nlines' }, /^reason must be/],
    [ORDER, { ...CORDON, author: 'mallory' }, /^the body takes kind, reason, deadline, returnWithin, and nothing else$/],
    [ORDER, { ...CORDON, at: 0 }, /nothing else$/],
    [ORDER, { ...CORDON, deadline: 1000 }, /^deadline must be left out of a cordon/],
    [ORDER, { ...DRAIN, deadline: '1000' }, /^deadline must be an integer from 0 to 86400000, in milliseconds$/],
    [ORDER, { ...DRAIN, returnWithin: -1 }, /^returnWithin must be/],
    [ORDER, [], /^the body must be a JSON object$/],
    ['/api/nodes/a%20b/order', CORDON, /^id must be 1 to 64 of A-Z a-z 0-9 \. _ : -$/]
  ]
  for (const [path, payload, text] of wrong) {
    const response = await ask('PUT', path, payload)
    t.match([response.statusCode, response.json()], [400, { retCode: '40001', retMsg: text }], JSON.stringify(payload))
  }
  t.match((await ask('POST', '/api/rooms/end', { tenant: 't' })).json(), { retMsg: /^room must be a string of 1 to 64/ })
  t.match((await ask('DELETE', `${ORDER}?reason=`)).json(), { retMsg: /^reason must be/ })
  const text = await ask('PUT', ORDER, undefined, { payload: '{', headers: { 'content-type': 'application/json' } })
  t.match(text.json(), { retCode: '40001' })
  t.equal((await registry.operations?.orders())?.size, 0)
})

t.test('an order that the registry itself rejects – is answered with the words of the registry', async (t) => {
  const registry = memoryRegistry()
  const setOrder = async () => { throw new TypeError('"reason" must name a ticket') }
  const { ask, lines } = await startAdmin(t, {
    registry: { ...registry, ...registry.operations && { operations: { ...registry.operations, setOrder } } }
  })
  const response = await ask('PUT', ORDER, CORDON)
  t.match([response.statusCode, response.json()], [400, { retMsg: '"reason" must name a ticket' }])
  t.notOk(lines.some(({ msg }) => /^operator/.test(String(msg))))
})
