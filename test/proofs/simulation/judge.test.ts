import { hash } from 'node:crypto'
import t from 'tap'
import { roomName } from '../../../lib/common/room-name.js'
import { simulatedRedisFixture } from './redis-fixture.js'
import { World } from './world.js'
import type { NodeRef } from '../../../types/registry.js'

const node = (id: string): NodeRef => ({ id, incarnation: 'i', wssUrl: `wss://${id}/` })

/** Creates two nodes whose leases expire at the given milliseconds from now, and signatures for one room. */
function judgeOf (leases: Record<string, number>) {
  const { judge, timeline } = new World({ nodes: 2, gateways: 2, rooms: 1 }, simulatedRedisFixture())
  for (const [id, ms] of Object.entries(leases)) judge.promise(`${id}|i`, timeline.now + ms)
  const sign = (id: string, decidedAfter: number): void => {
    const issuedAt = timeline.now + decidedAfter
    judge.issued({
      id: `${id} ${decidedAfter}`,
      issuedAt: Math.floor(issuedAt / 1000),
      expiresAt: Math.floor(issuedAt / 1000) + 15,
      subject: {
        tenant: 't', room: 'r0', user: 'u', name: 'n', role: 'recorder', node: node(id), issuedAt, joinOnly: false
      }
    })
  }
  const key = hash('sha256', roomName({ tenant: 't', room: 'r0' }), 'base64url')
  const move = (id: string, after: number, acknowledgedAfter?: number): void => {
    judge.moved(key, id, { at: timeline.now + after, mustWait: true })
    if (acknowledgedAfter !== undefined) judge.acknowledged(key, id, timeline.now + acknowledgedAfter)
  }
  return { sign, move, rules: () => judge.broken.map((broken) => broken.split(' ')[0]) }
}

t.test('two live nodes – signed for one room, in either order or in one millisecond – break I1', async (t) => {
  for (const [first, last] of [[0, 100], [100, 0], [0, 0]] as const) {
    const { sign, rules } = judgeOf({ n0: 6000, n1: 6000 })
    sign('n0', first)
    sign('n1', last)
    t.strictSame(rules(), ['I1'], `decided after ${first} and ${last} ms`)
  }
})

t.test('a dead node – named by a late answer – breaks nothing', async (t) => {
  for (const [decidedAfter, diedAfter] of [[0, 50], [0, 100], [100, 100]] as const) {
    const { sign, rules } = judgeOf({ n0: 6000, n1: diedAfter })
    sign('n0', 100)
    sign('n1', decidedAfter)
    t.strictSame(rules(), [], `decided after ${decidedAfter} ms, dead after ${diedAfter} ms`)
  }
})

t.test('a node that was alive when the other was chosen – named by a late answer – breaks I1', async (t) => {
  const { sign, rules } = judgeOf({ n0: 6000, n1: 200 })
  sign('n0', 100)
  sign('n1', 0)
  t.strictSame(rules(), ['I1'])
})

t.test('a room that an operator moved – signed for another node – breaks I1 before the first node gave it up', async (t) => {
  for (const [acknowledgedAfter, expected] of [[undefined, ['I1']], [90, []], [200, ['I1']]] as const) {
    const { sign, move, rules } = judgeOf({ n0: 6000, n1: 6000 })
    sign('n0', 0)
    move('n0', 50, acknowledgedAfter)
    sign('n1', 100)
    t.strictSame(rules(), expected, `acknowledged after ${acknowledgedAfter} ms`)
  }
})

t.test('a room that an operator moved – signed for the node that it left – breaks MOVE', async (t) => {
  const { sign, move, rules } = judgeOf({ n0: 6000, n1: 6000 })
  sign('n0', 0)
  move('n0', 50, 90)
  sign('n0', 100)
  t.strictSame(rules(), ['MOVE'])
})
