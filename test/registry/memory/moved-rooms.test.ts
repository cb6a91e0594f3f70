import t from 'tap'
import { createMovedRooms } from '../../../lib/registry/memory/moved-rooms.js'
import { eventually } from '../../support/until.js'

const view = { id: 'n1', incarnation: 'i', wssUrl: 'wss://n1.example', weight: 1, draining: false, rooms: 0 }
const move = { member: { view, gone: false }, to: 'n2' }

t.test('a moved room – is known until it is bound again, or its time is over', async (t) => {
  const kept = createMovedRooms(60_000)
  kept.add('room', move)
  t.equal(kept.find('room')?.to, 'n2')
  t.equal(kept.find('another'), undefined)
  kept.forget('room')
  t.equal(kept.find('room'), undefined)
  const short = createMovedRooms(20)
  short.add('room', move)
  await eventually(() => short.find('room'), undefined)
})
