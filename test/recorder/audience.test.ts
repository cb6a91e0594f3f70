import t from 'tap'
import { createEmitter } from '../../lib/client/emitter.js'
import { audienceOf } from '../../lib/recorder/audience.js'

interface Events {
  message: (message: string | ArrayBuffer) => void
  state: (state: string) => void
}

const members = (recorder: number | null, ...ids: number[]) => JSON.stringify({
  type: 'members',
  you: 1,
  recorder,
  members: [
    { id: 1, user: 'u', name: 'Li Na', role: 'recorder' },
    ...ids.map((id) => ({ id, user: `user-${id}`, name: `name-${id}`, role: 'replayer' }))
  ]
})

function openRoom () {
  const { emit, on } = createEmitter<Events>()
  const connection = { state: 'open', bufferedAmount: 0, send: () => true, on }
  const audience = audienceOf(connection)
  let changes = 0
  audience.onChange(() => { changes++ })
  return { connection, audience, emit, tell: (text: string) => emit('message', text), changes: () => changes }
}

t.test('messages of the node – in any form – name the clients, or are ignored', async (t) => {
  const { audience, tell, emit, changes } = openRoom()
  for (const text of ['', 'text', '{', 'null', '7', '{"type":"alive"}', '{"type":"members"}', '{"type":"members","members":{}}']) {
    tell(text)
  }
  emit('message', new TextEncoder().encode(members(1, 2)).buffer)
  t.strictSame([changes(), audience.names], [0, []], 'a message of another client is binary')
  tell(members(1, 2, 3))
  t.strictSame([changes(), audience.names, audience.ids], [1, ['name-2', 'name-3'], [2, 3]])
  tell('{"type":"members","you":1,"recorder":1,"members":[null,7,{"role":"replayer"},{"role":"replayer","id":9}]}')
  t.strictSame(audience.names, ['undefined'])
})

t.test('the viewers – the connection is lost – are those of another node from then on', async (t) => {
  const { audience, tell, emit, changes } = openRoom()
  tell(members(1, 3))
  emit('state', 'connecting')
  t.strictSame([changes(), audience.names, audience.ids], [2, [], []])
})

t.test('the viewers – of one connection – are the same for each of its recorders', async (t) => {
  const { audience, connection, tell } = openRoom()
  tell(members(1, 2))
  t.strictSame(audienceOf(connection).names, ['name-2'], 'although the node tells them once')
  t.equal(audienceOf(connection), audience)
  t.not(openRoom().audience, audience)
})

t.test('another page of the same user – seen instead of this one – makes it a standby without viewers', async (t) => {
  const { audience, tell } = openRoom()
  tell(members(7, 2))
  t.strictSame([audience.isStandby, audience.names], [true, []])
  tell(members(1, 2))
  t.strictSame([audience.isStandby, audience.names], [false, ['name-2']])
})

t.test('a viewer that asks – before the node named anyone – counts, and later only the named ones', async (t) => {
  const { audience, tell, changes } = openRoom()
  audience.meet()
  t.strictSame([audience.names.length, changes()], [1, 1])
  tell(members(1))
  audience.meet()
  t.strictSame([audience.names, changes()], [[], 2])
})
