import t from 'tap'
import { toEvent } from '../../../lib/registry/nodes/event-text.js'
import type { StoredEvent } from '../../../lib/registry/nodes/room-history.js'

const choice = 'host 4711|5|2|0|1|n1 0.33|n2 4'
const toldChoice = {
  gateway: 'host 4711',
  candidates: 5,
  proposed: [{ id: 'n1', load: 0.33 }, { id: 'n2', load: 4 }],
  leftOut: { draining: 2, full: 0, refused: 1, dead: 3 }
}
const TEXTS: Array<[event: Omit<StoredEvent, 'at'>, text: string]> = [
  [{ event: 'chosen', node: 'n1', choice, dead: 3 },
    'host 4711 chose n1, from 5 with the loads n1: 0.33, n2: 4; left out: 2 draining, 1 refused, 3 dead'],
  [{ event: 'chosen', node: 'n1', instead: { node: 'n0', why: 'died' } }, 'a gateway chose n1, since n0 was gone'],
  [{ event: 'chosen', node: 'n1', instead: { node: 'n0', why: 'moved' } },
    'a gateway chose n1, since the room was moved away from n0'],
  [{ event: 'claimed', node: 'n1' }, 'n1 opened the room'],
  [{ event: 'released', node: 'n1' }, 'the last client left n1'],
  [{ event: 'ended', node: 'n1' }, 'the call ended on n1'],
  [{ event: 'moved', node: 'n1', why: { to: 'n2', reason: 'it freezes', author: 'anna' } },
    'anna moved the room away from n1 to n2: it freezes'],
  [{ event: 'moved', node: 'n1', why: { reason: 'it freezes', author: 'anna' } },
    'anna moved the room away from n1: it freezes'],
  [{ event: 'epoch' }, 'the store began anew, and knows nothing of earlier events']
]

t.test('an event – of each kind – is told in one sentence', async (t) => {
  for (const [event, text] of TEXTS) t.equal(toEvent({ at: 1, ...event }).text, text)
})

t.test('a choice – as a store keeps it – is told with its parts', async (t) => {
  const { choice: told, ...event } = toEvent({ at: 1, event: 'chosen', node: 'n1', choice, dead: 3 })
  t.strictSame(told, toldChoice)
  t.strictSame(Object.keys(event), ['at', 'event', 'node', 'text'])
  for (const text of ['', 'host', 'host|1|x|0|0', '{"gateway":"host"}']) {
    t.equal(toEvent({ at: 1, event: 'chosen', choice: text }).choice, undefined, text)
  }
  t.strictSame(toEvent({ at: 1, event: 'chosen', choice: 'host|0|0|0|0|' }).choice?.proposed, [])
})
