import t from 'tap'
import { check } from './checker.mjs'
import type { Line } from './history.mjs'

const settings = {
  lease: 1500, heartbeat: 300, patience: 500, linger: 4, signing: { keys: [], ttl: 3, skew: 1 }
}
const FAULTS = ['node-stop-long', 'store-flush']
const START = 1_000_000_000_000

type Details = Record<string, unknown>

/** Builds a history by hand, in seconds after its start. */
class Story {
  readonly lines: Line[] = []
  #names = 0

  note (seconds: number, by: string, what: string, details: Details = {}): this {
    this.lines.push({ at: START + seconds * 1000, by, what, ...details })
    return this
  }

  /** Adds heartbeats that are acknowledged for a given time. */
  lives (node: string, from: number, until: number, incarnation = 'a'): this {
    const member = `${node}|${incarnation}`
    this.note(from, node, 'sent', { call: `${node}-${++this.#names}`, script: 'REGISTER', members: [member] })
    for (let at = from; at <= until - 1.5; at += 0.25) {
      const moment = START + at * 1000
      this.note(at, node, 'promised', { member, from: moment, until: moment + settings.lease })
    }
    return this
  }

  fault (from: number, until: number, fault: string, target: string): this {
    return this.note(from, 'injector', 'fault', { fault, target, phase: 'begin' })
      .note(until, 'injector', 'fault', { fault, target, phase: 'end' })
  }

  /** Adds a signature that is requested at `from` and answered at `until`. */
  signed (from: number, until: number, room: string, node: string, details: Details = {}): this {
    const iat = Math.floor(START / 1000 + from)
    return this.note(until, 'd1', 'signed', {
      room, node, incarnation: 'a', iat, exp: iat + 3, kind: 'normal', sentAt: START + from * 1000, ...details
    })
  }

  /** Adds the admission of a client with a signature of that moment. */
  admitted (seconds: number, room: string, role: string, node: string, details: Details = {}): this {
    const jti = `${room} ${role} ${++this.#names}`
    const exp = START / 1000 + seconds + 3
    const claims = { room, role, jti, node, incarnation: 'a', exp, kind: 'normal', ...details }
    return this.note(seconds, node, 'admitted', claims)
  }

  /** Adds a stay as the client sees it. */
  inside (from: number, until: number, room: string, role: string, node: string): this {
    const seat = { room, role, node, jti: `${room} ${role} ${++this.#names}` }
    return this.note(from, 'd1', 'inside', seat).note(until, 'd1', 'outside', seat)
  }
}

/** Builds a race without violations: two nodes for a minute, and one room. */
function goodStory (): Story {
  return new Story()
    .lives('n1', 0, 60)
    .lives('n2', 0, 60)
    .fault(20, 20.1, 'store-flush', 'store')
    .fault(40, 43.75, 'node-stop-long', 'n2')
    .signed(1, 1.1, 'good', 'n1')
    .admitted(1.2, 'good', 'recorder', 'n1')
    .inside(1.2, 2, 'good', 'recorder', 'n1')
    .note(1.3, 'd1', 'together', { room: 'good' })
    .note(2, 'd1', 'done', { room: 'good' })
}

function judge ({ lines }: Story, rooms = 1, more = {}) {
  return check(lines.toSorted((a, b) => a.at - b.at), { rooms, faults: FAULTS, settings, ...more })
}

const rulesOf = (story: Story) => judge(story).violations.map(({ rule }) => rule)
const reasonsOf = (story: Story, rooms?: number, more = {}) =>
  judge(story, rooms, more).violations.map(({ what }) => what)

t.test('a race without violations – is accepted and counted', async (t) => {
  const { violations, summary } = judge(goodStory())
  t.strictSame(violations, [])
  t.match(summary, {
    rooms: 1, signatures: { normal: 1 }, admissions: { normal: 1 }, faults: { 'store-flush': 1 }, splits: 0, lapses: 0
  })
})

t.test('an empty history, a missing fault or a missing room – prove nothing', async (t) => {
  t.match(reasonsOf(new Story()), [
    /nothing was signed/, /nothing was admitted/, /nothing was inside/, /nothing was together/, /nothing was promised/,
    /no node-stop-long/, /no store-flush/, /0 rooms were completed/
  ])
  const withoutFault = goodStory()
  withoutFault.lines.splice(withoutFault.lines.findIndex(({ fault, phase }) => fault === 'store-flush' && phase === 'end'), 1)
  t.strictSame(reasonsOf(withoutFault), ['there was no store-flush'])
  t.strictSame(reasonsOf(goodStory(), 2), ['1 rooms were completed, and 2 asked for'])
  t.strictSame(reasonsOf(goodStory(), 1, { moves: 1 }), ['0 rooms were moved, and 1 asked for'])
})

t.test('failed processes, rooms without a meeting, nodes replaced by no process, lapses without a fault – are violations', async (t) => {
  t.strictSame(rulesOf(goodStory().note(5, 'g1', 'defect', { error: 'TypeError' })), ['DEFECT'])
  t.strictSame(rulesOf(goodStory().note(5, 'd1', 'gave-up', { room: 'r' })), ['GAVE-UP'])
  t.strictSame(rulesOf(goodStory().note(5, 'n1', 'replaced')), ['REPLACED'])
  const lapsing = (at: number, more = {}) => {
    const story = goodStory()
    for (let count = 0; count < 4; count++) story.note(at + count / 10, 'n2', 'lapsed').note(at + count / 10, 'n2', 'resumed')
    return reasonsOf(story, undefined, more)
  }
  t.strictSame(lapsing(10, { mayLapse: true }), [], 'on a busy machine')
  t.strictSame(lapsing(10), ['4 leases lapsed without a fault'])
  t.strictSame(lapsing(41.5), [], 'the node was stopped')
  t.strictSame(lapsing(22), [], 'the store was flushed')
})

t.test('two valid signatures of one room for two live nodes – are a split', async (t) => {
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(7, 7.1, 'r', 'n2')), ['I1'])
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(7, 7.1, 'r', 'n1')), [], 'one node')
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(7, 7.1, 's', 'n2')), [], 'two rooms')
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(5, 5.1, 'r', 'n2')), ['I1'], 'at once')
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(7, 7.1, 'r', 'n2', { kind: 'join-only' })), [])
})

t.test('two valid signatures of a room that an operator moved – are no split while the first node admits by none', async (t) => {
  const moved = (from: string) => goodStory().signed(5, 5.1, 'r', 'n1')
    .note(5.5, 'g1', 'moving', { room: 'r', id: '1' })
    .note(5.6, 'g1', 'moved', { room: 'r', id: '1', outcome: 'moving', from })
    .signed(7, 7.1, 'r', 'n2')
  const old = { iat: START / 1000 + 5 }
  t.strictSame(rulesOf(moved('n1')), [])
  t.strictSame(rulesOf(moved('n2')), ['I1'], 'it was moved away from another node')
  t.strictSame(rulesOf(moved('n1').admitted(6, 'r', 'recorder', 'n1', old)), [], 'before the second signature')
  t.strictSame(rulesOf(moved('n1').admitted(7.5, 'r', 'recorder', 'n1', old)), ['I1'], 'after the second signature')
  t.strictSame(rulesOf(moved('n1').signed(7.2, 7.3, 'r', 'n1').admitted(7.5, 'r', 'recorder', 'n1', old)), ['I1'],
    'the room returned without a move')
})

t.test('the first of two signatures – counts until its expiry plus the skew', async (t) => {
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(8.8, 8.9, 'r', 'n2')), ['I1'])
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(9.1, 9.2, 'r', 'n2')), [])
  t.strictSame(rulesOf(goodStory().signed(5, 5.1, 'r', 'n1').signed(8.8, 9.2, 'r', 'n2', {
    iat: START / 1000 + 9, exp: START / 1000 + 12
  })), [], 'requested before, issued after')
})

t.test('two signatures with an uncertain order – are no split', async (t) => {
  const story = () => goodStory().lives('n3', 0, 6.5).signed(5, 5.1, 'r', 'n3')
  t.strictSame(rulesOf(story().signed(6.1, 6.4, 'r', 'n1')), ['I1'], 'n3 was alive')
  t.strictSame(rulesOf(story().signed(6.6, 6.7, 'r', 'n1')), [], 'its lease had expired')
  t.strictSame(rulesOf(story().signed(6.1, 6.6, 'r', 'n1')), [], 'its lease may have expired')
  t.strictSame(rulesOf(story().signed(5.9, 6.6, 'r', 'n1')), ['I1'], 'the date is from before the expiry')
})

t.test('a registration that replaced the first, or may have – ends it before its lease', async (t) => {
  const register = (incarnation: string) => ({ call: 'x', script: 'REGISTER', members: [`n1|${incarnation}`] })
  const story = () => goodStory().signed(5, 5.1, 'r', 'n1')
  t.strictSame(rulesOf(story().note(6, 'n1', 'sent', register('b')).signed(7, 7.1, 'r', 'n2')), [])
  t.strictSame(rulesOf(story().note(7.2, 'n1', 'sent', register('b')).signed(7, 7.1, 'r', 'n2')), ['I1'], 'too late')
  t.strictSame(rulesOf(story().note(6, 'n1', 'sent', register('a')).signed(7, 7.1, 'r', 'n2')), ['I1'], 'the same registration')
  t.strictSame(rulesOf(story().note(6, 'n1', 'sent', register('b'))
    .note(6.1, 'n1', 'answered', { call: 'x', outcome: 'epoch' }).signed(7, 7.1, 'r', 'n2')), ['I1'], 'refused')
  const leave = { call: 'x', script: 'LEAVE', members: ['n1|a'] }
  t.strictSame(rulesOf(story().note(6, 'n1', 'sent', leave).signed(7, 7.1, 'r', 'n2')), [], 'it left')
})

t.test('a signature – admits once, and not after its expiry', async (t) => {
  const twice = goodStory().admitted(5, 'r', 'recorder', 'n1', { jti: 'x' }).admitted(5.1, 'r', 'recorder', 'n2', { jti: 'x' })
  t.strictSame(rulesOf(twice), ['I5'])
  const late = (seconds: number) => goodStory().admitted(10, 'r', 'recorder', 'n1', { exp: START / 1000 + 10 - seconds })
  t.strictSame(rulesOf(late(1)), [], 'within the skew')
  t.strictSame(rulesOf(late(1.1)), ['I5'])
})

t.test('an admission after the promised lease – is a violation', async (t) => {
  const story = () => goodStory().lives('n3', 0, 10)
  t.strictSame(rulesOf(story().admitted(9.8, 'r', 'recorder', 'n3')), [])
  t.strictSame(rulesOf(story().admitted(10.2, 'r', 'recorder', 'n3')), ['I8'])
  t.strictSame(rulesOf(story().admitted(10.2, 'r', 'recorder', 'n3', { kind: 'join-only' })), [])
  t.strictSame(rulesOf(story().admitted(10.2, 'r', 'recorder', 'n3', { heldAt: START + 9900 })), [],
    'the process was stopped between the admission and its note')
  t.strictSame(rulesOf(story().lives('n3', 10, 20, 'b').admitted(11, 'r', 'recorder', 'n3')), ['I8'],
    'a new registration does not revive the old one')
  t.strictSame(rulesOf(story().admitted(5, 'r', 'recorder', 'n3', { incarnation: 'unheard of' })), ['I8'])
})

t.test('an admission after its node was seen to be gone – without a promise of the store – is a violation', async (t) => {
  const story = () => goodStory().note(9, 'observer', 'promised', {
    script: 'OBSERVED', member: 'n3|a', from: START + 8000, until: START + 9000
  }).note(10, 'observer', 'gone', { member: 'n3|a' })
  t.strictSame(rulesOf(story().admitted(9.9, 'r', 'recorder', 'n3')), [], 'the node was not seen to be gone')
  t.strictSame(rulesOf(story().admitted(10.2, 'r', 'recorder', 'n3')), ['I8'])
  t.strictSame(rulesOf(story().admitted(10.2, 'r', 'recorder', 'n3', { incarnation: 'b' })), [], 'another registration')
  const expired = () => story().fault(9.8, 9.9, 'store-expire', 'store')
  t.strictSame(rulesOf(expired().admitted(10.2, 'r', 'recorder', 'n3')), [], 'ended by hand: no silence made the node doubt')
  t.strictSame(rulesOf(expired().admitted(19, 'r', 'recorder', 'n3')), ['I8'], 'no longer than it may rely on its session')
  t.strictSame(rulesOf(story().signed(8.2, 8.3, 'r', 'n3').signed(8.4, 8.5, 'r', 'n1')), ['I1'], 'the node was seen alive later')
  t.strictSame(rulesOf(story().signed(8.2, 8.3, 'r', 'n3').signed(9.4, 9.5, 'r', 'n1')), [], 'the node may have been gone')
})

/** Adds both sides of a room, one of which the node disconnects. */
function endedStory (story: Story, seconds: number, reason: string, node = 'n1'): Story {
  return story.admitted(seconds - 4, 'r', 'recorder', node, { jti: 'x' }).admitted(seconds - 4, 'r', 'replayer', node)
    .note(seconds, node, 'ended', { room: 'r', role: 'recorder', jti: 'x', code: 4410, reason })
}

t.test('a room with both sides inside – closed by anything but an end of its call – is a violation', async (t) => {
  const moved = 'the room moved: ask again'
  t.strictSame(rulesOf(endedStory(goodStory(), 10, moved)), ['I25'])
  t.strictSame(rulesOf(endedStory(goodStory(), 21, moved)), ['I25'], 'during a flush of the store')
  t.strictSame(rulesOf(endedStory(goodStory(), 42, moved)), ['I25'], 'during a stop of another node')
  const released = endedStory(goodStory(), 10, 'the call ended')
  t.strictSame(rulesOf(released), ['I25'], 'no gateway ended the call')
  t.strictSame(rulesOf(released.note(9.5, 'd1', 'ending', { room: 'r' })), [])
  const operated = (seconds: number) => endedStory(goodStory(), 10, 'the call ended')
    .note(seconds, 'g1', 'moving', { room: 'r', id: '1' })
    .note(seconds, 'g1', 'moved', { room: 'r', id: '1', outcome: 'moving', from: 'n1' })
  t.strictSame(rulesOf(operated(9.5)), [], 'an operator moved the room')
  t.strictSame(rulesOf(operated(10.5)), ['I25'], 'an operator moved the room afterwards')
  const alone = goodStory().admitted(9, 'r', 'recorder', 'n1', { jti: 'x' }).admitted(9, 'r', 'recorder', 'n1')
    .note(10, 'n1', 'ended', { room: 'r', role: 'recorder', jti: 'x', code: 4410, reason: moved })
  t.strictSame(rulesOf(alone), [], 'the other side was absent')
})

t.test('a room closed by a fault of its own node – lease expired – is excused', async (t) => {
  const story = () => goodStory().lives('n3', 0, 30).lives('n3', 33, 60, 'b')
  const moved = 'the room moved: ask again'
  const ended = (story: Story) => rulesOf(endedStory(story, 33, moved, 'n3').note(30, 'n3', 'lapsed').note(33, 'n3', 'resumed'))
  t.strictSame(ended(story().fault(29, 32, 'node-hang-long', 'n3')), [])
  t.strictSame(ended(story()), [], 'the process got no time, while the others did')
  t.strictSame(ended(story().fault(28, 29, 'store-stop-long', 'store')), ['I25'], 'the store was at fault')
  t.strictSame(ended(story().fault(28, 29, 'store-stop-long', 'store').fault(29, 32, 'node-hang-long', 'n3')), [],
    'both were at fault')
  t.strictSame(rulesOf(endedStory(story().fault(10, 12, 'node-hang-long', 'n3'), 12, moved, 'n3')), ['I25'],
    'its lease was valid')
})

t.test('two sides that wait on different nodes – are a violation', async (t) => {
  const apart = (from: number, seconds: number, story = goodStory()) => rulesOf(story
    .inside(from, from + seconds, 'r', 'recorder', 'n1').inside(from, from + seconds, 'r', 'replayer', 'n2'))
  t.strictSame(apart(5, 6.9), [])
  t.strictSame(apart(5, 7.1), ['I26'])
  t.strictSame(apart(20, 12), [], 'the store settles until 25.7')
  t.strictSame(apart(38, 12), [], 'n2 was stopped until 43.75')
  t.strictSame(apart(38, 13), ['I26'])
  t.strictSame(apart(5, 7.1, goodStory().fault(5, 13, 'gateway-stop', 'g1').fault(5, 13, 'node-hang-long', 'n2')), ['I26'],
    'a fault of a gateway, or a node that is cut off, is no excuse')
  const never = goodStory().note(50, 'd1', 'inside', { room: 'r', role: 'recorder', node: 'n1', jti: 'x' })
    .inside(50, 59, 'r', 'replayer', 'n2').note(59, 'd1', 'done', { room: 'other' })
  t.strictSame(rulesOf(never), ['I26'], 'one side is still waiting at the end')
})
