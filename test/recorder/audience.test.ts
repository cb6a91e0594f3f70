import t from 'tap'
import { createAudience } from '../../lib/recorder/audience.js'

const members = (recorder: number | null, ...ids: number[]) => JSON.stringify({
  type: 'members',
  you: 1,
  recorder,
  members: [
    { id: 1, user: 'u', name: 'Li Na', role: 'recorder' },
    ...ids.map((id) => ({ id, user: `user-${id}`, name: `name-${id}`, role: 'replayer' }))
  ]
})

t.test('messages of the node – in any form – name the clients, or are ignored', async (t) => {
  const audience = createAudience()
  for (const text of ['', 'text', '{', 'null', '7', '{"type":"alive"}', '{"type":"members"}', '{"type":"members","members":{}}']) {
    t.equal(audience.read(text), false, text)
  }
  t.equal(audience.read(members(1, 2, 3)), true)
  t.strictSame(audience.names, ['name-2', 'name-3'])
  audience.read('{"type":"members","you":1,"recorder":1,"members":[null,7,{"role":"replayer"},{"role":"replayer","id":9}]}')
  t.strictSame(audience.names, ['undefined'])
})

t.test('a viewer – each that joins – is new once', async (t) => {
  const audience = createAudience()
  const countAfter = (...ids: number[]) => {
    audience.read(members(1, ...ids))
    return audience.countNew()
  }
  const counts = [countAfter(), countAfter(2), countAfter(2), countAfter(2, 3), countAfter(3), countAfter(3, 4)]
  t.strictSame(counts, [0, 1, 0, 1, 0, 1])
  audience.forget()
  t.strictSame(audience.names, [])
  t.equal(countAfter(3), 1, 'on another node, all are new')
})

t.test('another page of the same user – seen instead of this one – makes it a standby without viewers', async (t) => {
  const audience = createAudience()
  audience.read(members(7, 2))
  t.equal(audience.isStandby, true)
  t.strictSame(audience.names, [])
  audience.read(members(1, 2))
  t.equal(audience.isStandby, false)
  t.equal(audience.countNew(), 1)
})

t.test('a viewer that asks – before the node named anyone – counts, and later only the named ones', async (t) => {
  const audience = createAudience()
  audience.meet()
  t.equal(audience.names.length, 1)
  audience.read(members(1))
  audience.meet()
  t.strictSame(audience.names, [])
})
