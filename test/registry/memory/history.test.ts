import t from 'tap'
import { createHistories, NO_HISTORIES } from '../../../lib/registry/memory/history.js'

t.test('histories – of many events and rooms – keep the latest events, and the rooms that changed last', async (t) => {
  const histories = createHistories()
  for (let events = 0; events < 40; events++) histories.add('old', { event: 'claimed', node: `n${events}` })
  t.equal(histories.of('old').length, 32)
  t.equal(histories.of('old')[0]?.node, 'n39')
  for (let rooms = 0; rooms < 10_000; rooms++) {
    histories.add(`room-${rooms}`, { event: 'claimed', node: 'n1' })
    if (rooms === 5000) histories.add('old', { event: 'released', node: 'n39' })
  }
  t.equal(histories.of('old')[0]?.event, 'released')
  t.equal(histories.of('room-0').length, 0)
  t.equal(histories.of('room-9999').length, 1)
})

t.test('histories – switched off – keep nothing', async (t) => {
  NO_HISTORIES.add('room', { event: 'claimed', node: 'n1' })
  t.strictSame(NO_HISTORIES.of('room'), [])
})
