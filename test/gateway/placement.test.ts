import t from 'tap'
import { chain, filterBy, leastLoaded, memoryRegistry, prefer } from '../../lib/index.js'
import { body, buildApp, NODES } from '../support/build-app.js'
import type { NodeView, SelectNode } from '../../types/index.js'

function view (id: string, more: Partial<NodeView> = {}): NodeView {
  return { id, incarnation: 'x', wssUrl: `wss://${id}.example/ws`, weight: 1, draining: false, rooms: 0, ...more }
}

const nodes = [
  view('a', { zone: 'az2', rooms: 1, labels: { gpu: 'yes', site: 'x' } }),
  view('b', { zone: 'az1', rooms: 5, version: '2.1' }),
  view('c', { zone: 'az1', rooms: 4, weight: 4, labels: { gpu: 'yes' } }),
  view('d', { rooms: 0, version: '2.0' })
]
const order = (select: SelectNode, own: Record<string, number> = {}) =>
  select(nodes, { room: { tenant: 't', room: 'r' }, ownAssignments: ({ id }) => own[id] ?? 0 }).map(({ id }) => id).join('')

t.test('prefer – nodes that match come first, and the others follow in their order', async (t) => {
  t.equal(order(prefer({ zone: 'az1' })), 'bcad')
  t.equal(order(prefer({ version: '2.0' })), 'dabc')
  t.equal(order(prefer({ labels: { gpu: 'yes' } })), 'acbd')
  t.equal(order(prefer({ zone: 'az2', labels: { gpu: 'yes', site: 'x' } })), 'abcd')
  t.equal(order(prefer({ zone: 'az9' })), 'abcd', 'no node matches')
})

t.test('leastLoaded – by rooms for each unit of weight, those of this gateway included', async (t) => {
  t.equal(order(leastLoaded), 'dacb')
  t.equal(order(leastLoaded, { d: 2 }), 'acdb')
})

t.test('filterBy – leaves nodes out', async (t) => {
  t.equal(order(filterBy(({ zone }) => zone !== undefined)), 'abc')
})

t.test('chain – the first function decides, the next ones among its equals', async (t) => {
  t.equal(order(chain(prefer({ zone: 'az1' }), leastLoaded)), 'cbda')
  t.equal(order(chain(filterBy(({ id }) => id !== 'd'), prefer({ labels: { gpu: 'yes' } }), leastLoaded)), 'acb')
  t.equal(order(chain()), 'abcd')
})

t.test('a preferred zone that is full – the rooms spill over to the others', async (t) => {
  const registry = memoryRegistry()
  for (const [id, zone] of [['near', 'az1'], ['far', 'az2']] as const) {
    await registry.join({ id, zone, capacity: 1, wssUrl: `wss://${id}.example/ws` })
  }
  const { ask } = await buildApp(t, { options: { registry, selectNode: chain(prefer({ zone: 'az1' }), leastLoaded) } })
  const answerFor = async (roomId: string) => (await ask({ payload: { ...body, roomId } })).json()
  t.match((await answerFor('r1')).data.wssUrl, /near/)
  t.match((await answerFor('r2')).data.wssUrl, /far/)
  t.match(await answerFor('r3'), { retCode: '50308', retMsg: 'all nodes are full' })
  t.match((await answerFor('r1')).data.wssUrl, /near/, 'a room that has its node stays there')
})

t.test('a "selectNode" that fails – rooms go to the least loaded nodes, with one warning in a row', async (t) => {
  const lines: Array<Record<string, unknown>> = []
  const logger = { level: 'warn', stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } }
  let selectNode: unknown = () => { throw new Error('secret of the host') }
  const failing = ((...args) => (selectNode as SelectNode)(...args)) as SelectNode
  const { ask } = await buildApp(t, {
    server: { requestTimeout: 1000, logger },
    options: { registry: memoryRegistry({ nodes: NODES }), selectNode: failing }
  })
  let last = 0
  const askNew = async () => (await ask({ payload: { ...body, roomId: `new-${++last}` } })).json().retCode
  const failures = () => lines.filter(({ msg }) => String(msg).includes('selectNode'))
  for (selectNode of [selectNode, async () => [], () => undefined, async () => await Promise.reject(new Error('x'))]) {
    t.equal(await askNew(), '0')
  }
  t.match(failures(), [{ level: 40, plugin: 'fastify-cobrowse', reason: 'Error' }])
  t.equal(failures().length, 1)
  selectNode = (candidates: NodeView[]) => candidates
  t.equal(await askNew(), '0')
  selectNode = () => []
  t.equal(await askNew(), '50301', 'an empty list is a choice')
})
