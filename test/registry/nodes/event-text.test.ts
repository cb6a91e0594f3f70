import t from 'tap'
import { withText } from '../../../lib/registry/nodes/event-text.js'
import type { StoredEvent } from '../../../lib/registry/nodes/room-history.js'

const choice = {
  gateway: 'host 4711',
  candidates: 5,
  proposed: [{ id: 'n1', load: 0.333333 }, { id: 'n2', load: 4 }],
  leftOut: { draining: 2, full: 0, refused: 1, dead: 0 }
}
const TEXTS: Array<[event: Omit<StoredEvent, 'at'>, text: string]> = [
  [{ event: 'chosen', node: 'n1', choice },
    'host 4711 chose n1, from 5 with the loads n1: 0.33, n2: 4; left out: 2 draining, 1 refused'],
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
  for (const [event, text] of TEXTS) t.strictSame(withText({ at: 1, ...event }), { at: 1, ...event, text })
})
