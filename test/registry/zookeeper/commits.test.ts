import t from 'tap'
import { systemClock } from '../../../lib/common/clock.js'
import { createCommit } from '../../../lib/registry/zookeeper/commits.js'
import { startAdmin } from '../../support/zookeeper-admin.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { PATIENT, setUpRooms } from './set-up-rooms.js'
import type { Test } from 'tap'
import type { ZooKeeperOp } from '../../../lib/zookeeper-client/client.js'

const NOTHING = Buffer.alloc(0)
const unending = new AbortController().signal

t.test('commits on one server', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)

  async function setUp (t: Test) {
    const { layout, client, write } = await setUpRooms(t, hosts)
    /** Operations of each transaction. */
    const sizes: number[] = []
    const multi: typeof client.multi = async (ops, options) => {
      sizes.push(ops.length)
      return await client.multi(ops, { ...PATIENT, ...options })
    }
    // Creates the parents.
    await write({ member: 'n1|first', state: 'assigned', claims: 0, endedAt: 0 })
    await client.create(layout.nodes, NOTHING, PATIENT)
    for (const member of ['n1|first', 'n2|second']) {
      t.equal(await client.create(layout.nodePath(member), NOTHING, { ephemeral: true, ...PATIENT }), 'ok')
    }
    let last = 0
    const absent = () => `${layout.nodes}/new-${++last}`
    const create = (path = absent()): ZooKeeperOp => ({ type: 'create', path, data: NOTHING })
    const exists = async ({ path }: ZooKeeperOp) => await client.exists(path, PATIENT) !== undefined
    const commit = createCommit({ client: { multi }, layout, clock: systemClock })
    return { layout, client, sizes, commit, create, exists }
  }

  t.test('commits of one turn – nothing fails – are one transaction that checks each node once', async (t) => {
    const { sizes, commit, create, exists } = await setUp(t)
    const ops = [create(), create(), create()]
    const outcomes = await Promise.all(ops.map(async (op, at) =>
      await commit(at === 1 ? 'n2|second' : 'n1|first', [op], unending)))
    t.strictSame(outcomes, ['done', 'done', 'done'])
    t.strictSame(sizes, [5])
    for (const op of ops) t.ok(await exists(op))
  })

  t.test('commits of one turn – one of them fails – it alone has failed', async (t) => {
    for (const failing of [0, 1, 2]) {
      const { sizes, commit, create, exists } = await setUp(t)
      const ops = [0, 1, 2].map((at) => at === failing ? create('/') : create())
      const outcomes = await Promise.all(ops.map(async (op) => await commit('n1|first', [op], unending)))
      t.strictSame(outcomes, ops.map((_, at) => at === failing ? 'changed' : 'done'))
      t.strictSame(sizes, [4, 2, 2])
      for (const op of ops) t.ok(await exists(op))
    }
  })

  t.test('commits of one turn – a node is gone – all of its commits are, and none was run', async (t) => {
    const { commit, create, exists } = await setUp(t)
    const ops = [create(), create(), create(), create()]
    const members = ['n1|first', 'gone|x', 'n1|first', 'gone|x']
    const outcomes = await Promise.all(ops.map(async (op, at) => await commit(members[at] ?? '', [op], unending)))
    t.strictSame(outcomes, ['done', 'gone', 'done', 'gone'])
    t.strictSame(await Promise.all(ops.map(exists)), [true, false, true, false])
  })

  t.test('commits of one turn – two write the same znode – one of them is told that it changed', async (t) => {
    const { commit, create } = await setUp(t)
    const op = create()
    const outcomes = await Promise.all([op, op].map(async (op) => await commit('n1|first', [op], unending)))
    t.strictSame(outcomes.sort(), ['changed', 'done'])
  })

  t.test('commits of one turn – a node or a room may not be written – is an error of its own commit', async (t) => {
    const { layout, client, commit, create } = await setUp(t)
    const { lock } = await startAdmin(t, hosts)
    t.equal(await client.create(`${layout.nodes}/shut`, NOTHING, PATIENT), 'ok')
    await lock(`${layout.nodes}/shut`)
    const outcomes = await Promise.allSettled([
      commit('n1|first', [create()], unending),
      commit('n1|first', [create(`${layout.nodes}/shut/new`)], unending),
      commit('n2|second', [create()], unending)
    ])
    t.match(outcomes, [{ value: 'done' }, { reason: { cause: { message: /NO_AUTH/ } } }, { value: 'done' }])
  })

  t.test('more commits than one transaction may have – are several', async (t) => {
    const { sizes, commit, create } = await setUp(t)
    const outcomes = await Promise.all(Array.from({ length: 70 }, async () =>
      await commit('n1|first', [create()], unending)))
    t.strictSame(new Set(outcomes), new Set(['done']))
    t.strictSame(sizes, [65, 7])
  })

  t.test('a caller that waits no longer – is not sent again after another commit failed', async (t) => {
    const { sizes, commit, create, exists } = await setUp(t)
    const leaving = new AbortController()
    const op = create()
    const [left, other] = [commit('n1|first', [op], leaving.signal), commit('gone|x', [], unending)]
    leaving.abort(new Error('left'))
    await t.rejects(left, { message: 'left' })
    t.equal(await other, 'gone')
    t.strictSame(sizes, [3])
    t.notOk(await exists(op))
    await t.rejects(commit('n1|first', [op], leaving.signal), { message: 'left' })
  })

  t.test('a server that does not answer – fails all commits of the turn', async (t) => {
    const { layout } = await setUp(t)
    const multi = async () => { throw new Error('away') }
    const commit = createCommit({ client: { multi }, layout, clock: systemClock })
    const outcomes = await Promise.allSettled([commit('n1|first', [], unending), commit('n2|second', [], unending)])
    t.match(outcomes, [{ reason: { message: 'away' } }, { reason: { message: 'away' } }])
  })
})
