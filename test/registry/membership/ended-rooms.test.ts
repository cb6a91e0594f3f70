import t from 'tap'
import { createEndedRooms } from '../../../lib/registry/membership/ended-rooms.js'

t.test('ends of calls – reported, some twice – are kept until they are too old', async (t) => {
  const ended = createEndedRooms()
  ended.add('first', 10)
  ended.add('second', 20)
  ended.add('third', 30)
  ended.add('first', 40)
  ended.add('third', 25)
  t.strictSame(['first', 'second', 'third'].map(ended.at), [40, 20, 30], 'the latest end counts')
  ended.forget(25)
  t.strictSame(['first', 'second', 'third'].map(ended.at), [40, undefined, 30])
  ended.forget(50)
  t.strictSame(['first', 'third'].map(ended.at), [undefined, undefined])
})

t.test('a hundred thousand ends of calls – cost little', async (t) => {
  const ended = createEndedRooms()
  const before = process.cpuUsage()
  for (let at = 0; at < 100_000; at++) {
    ended.add(`room-${at}`, at)
    ended.forget(at - 20_000)
  }
  // Processor time is measured, since the elapsed time on a busy machine says nothing.
  const { user } = process.cpuUsage(before)
  t.ok(user < 5_000_000, `${user} µs of processor time`)
  t.equal(ended.at('room-79999'), 79_999)
  t.equal(ended.at('room-79000'), undefined)
})
