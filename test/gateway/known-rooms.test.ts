import t from 'tap'
import { createJoinOnlyNotice } from '../../lib/gateway/join-only-notice.js'
import { createKnownRooms } from '../../lib/gateway/known-rooms.js'
import { silentLog } from '../support/silent-log.js'
import type { Assignment, NodeView } from '../../types/index.js'

const room = { tenant: 't', room: 'r' }
const view = (id: string, change: Partial<NodeView> = {}): NodeView =>
  ({ id, incarnation: 'i', wssUrl: `wss://${id}.example/ws`, weight: 1, draining: false, rooms: 0, ...change })
const assigned = (id: string, issuedAt = 5000): Assignment =>
  ({ node: { id, incarnation: 'i', wssUrl: `wss://${id}.example/ws` }, issuedAt, joinOnly: false })

function build (joinOnlyFor = 600) {
  const world = { now: 1000, nodes: [view('a'), view('b')], age: undefined as number | undefined }
  const known = createKnownRooms({
    joinOnlyFor, nodes: () => world.nodes, viewAgeMs: () => world.age, now: () => world.now
  })
  const answer = (assignment: Assignment, key = room) => {
    known.heard(assignment)
    known.remember(key, assignment)
  }
  return { world, known, answer }
}

t.test('a room – recalled by its node – gets the store’s current clock', async (t) => {
  const { world, known, answer } = build()
  t.equal(known.recall(room), undefined)
  answer(assigned('a', 5000))
  world.now += 250.7
  t.strictSame(known.recall(room), {
    node: { id: 'a', incarnation: 'i', wssUrl: 'wss://a.example/ws' }, issuedAt: 5250, joinOnly: true
  })
  t.equal(known.recall({ tenant: 'tr', room: '' }), undefined)
  answer(assigned('b', 9000))
  t.match(known.recall(room), { node: { id: 'b' }, issuedAt: 9000 }, 'the last answer counts')
  known.forget(room)
  t.equal(known.recall(room), undefined)
})

t.test('the clock – is taken when the store answers, not when the answer is sent', async (t) => {
  const { world, known } = build()
  known.heard(assigned('a', 5000))
  world.now += 1000
  known.remember(room, assigned('a', 5000))
  t.equal(known.recall(room)?.issuedAt, 6000)
})

t.test('an answer made without the store – makes no room known', async (t) => {
  const { world, known, answer } = build()
  answer({ ...assigned('a'), joinOnly: true })
  t.equal(known.recall(room), undefined)
  answer(assigned('a', 5000))
  answer({ ...assigned('b', 9999), joinOnly: true })
  world.now += 1
  t.match(known.recall(room), { node: { id: 'a' }, issuedAt: 5001 })
})

t.test('two registrations of one node – the one listed later counts', async (t) => {
  const { world, known, answer } = build()
  answer(assigned('a'))
  world.nodes = [view('a', { incarnation: 'old' }), view('b'), view('a', { incarnation: 'new', wssUrl: 'wss://new.example' })]
  t.match(known.recall(room)?.node, { incarnation: 'new', wssUrl: 'wss://new.example' })
})

t.test('a view that is too old, or lacks the node – recalls nothing', async (t) => {
  const { world, known, answer } = build(60)
  answer(assigned('a'))
  for (const [age, isRecalled] of [[0, true], [60_000, true], [60_001, false], [undefined, true]] as const) {
    world.age = age
    t.equal(known.recall(room) !== undefined, isRecalled, String(age))
  }
  world.nodes = [view('b')]
  t.equal(known.recall(room), undefined)
  const off = build(0)
  off.answer(assigned('a'))
  t.equal(off.known.recall(room), undefined, 'nothing is recalled when switched off')
})

t.test('20,000 rooms – are remembered, the most recently used ones', async (t) => {
  const { known, answer } = build()
  const key = (number: number) => ({ tenant: 't', room: String(number) })
  for (let number = 0; number < 20_000; number++) answer(assigned('a'), key(number))
  t.ok(known.recall(key(0)))
  answer(assigned('a'), key(20_000))
  t.equal(known.recall(key(1)), undefined, 'the least recently used room is forgotten')
  t.ok(known.recall(key(0)))
  t.ok(known.recall(key(20_000)))
})

t.test('20,000 rooms of one tenant – push out no room of another', async (t) => {
  const { known, answer } = build()
  const victim = { tenant: 'victim', room: 'call in progress' }
  answer(assigned('a'), victim)
  for (let number = 0; number < 25_000; number++) answer(assigned('b'), { tenant: 't', room: String(number) })
  t.match(known.recall(victim), { node: { id: 'a' } })
  t.ok(known.recall({ tenant: 't', room: '24999' }))
  t.equal(known.recall({ tenant: 't', room: '0' }), undefined)
})

t.test('an outage – with or without normal answers during it – is logged once', async (t) => {
  let now = 0
  let told = 0
  const notice = createJoinOnlyNotice({ ...silentLog, warn: () => { told++ } }, () => now)
  const answers = (...kinds: Array<'normal' | 'joinOnly'>) => {
    for (const kind of kinds) {
      now += 100
      if (kind === 'normal') notice.normal()
      else notice.joinOnly(new Error('away'))
    }
    return told
  }
  t.equal(answers('normal'), 0)
  t.equal(answers('joinOnly', 'joinOnly', 'normal', 'joinOnly', 'normal'), 1)
  now += 60_000
  t.equal(answers('joinOnly'), 2, 'another outage')
  now += 60_000
  t.equal(answers('joinOnly'), 2, 'the same outage, with few callers')
})
