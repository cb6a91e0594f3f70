import t from 'tap'
import { createOutbox } from '../../lib/recorder/outbox.js'
import { PART_CHARACTERS } from '../../lib/recorder/parts.js'
import { until } from '../support/until.js'
import type { RecorderConnection } from '../../types/recorder.js'

const MEBI = 1024 * 1024

/** A connection whose network takes what it is told to take. */
function startConnection () {
  const sent: string[] = []
  const connection = {
    state: 'open',
    bufferedAmount: 0,
    isOpen: true,
    isStuck: false,
    send (text: string): boolean {
      if (connection.isOpen) sent.push(text)
      if (connection.isStuck) connection.bufferedAmount += text.length
      return connection.isOpen
    },
    on: () => () => {}
  } satisfies RecorderConnection & Record<string, unknown>
  return { connection, sent }
}

t.test('events – on a fast network – are sent at once and in their order', async (t) => {
  const { connection, sent } = startConnection()
  const outbox = createOutbox(connection)
  outbox.putWhole('{"whole":1}')
  t.equal(outbox.putChange('{"change":2}'), true)
  t.strictSame(sent, ['{"whole":1}', '{"change":2}'])
  t.equal(outbox.isBusy, false)
})

t.test('a large event – on a slow network – goes part by part, with no message in between', async (t) => {
  const { connection, sent } = startConnection()
  connection.isStuck = true
  const outbox = createOutbox(connection)
  const large = 'x'.repeat(12 * PART_CHARACTERS)
  outbox.putWhole(large)
  t.equal(outbox.putChange('{"change":1}'), true)
  t.ok(sent.length < 7, `${sent.length} parts wait in the network`)
  t.equal(outbox.isBusy, true)
  while (outbox.isBusy) {
    const count = sent.length
    connection.bufferedAmount = 0
    await until(() => sent.length > count || !outbox.isBusy, 'further parts')
  }
  t.equal(sent.slice(0, -1).map((text) => text.slice(1)).join(''), large)
  t.match(sent.slice(0, -1).map((text) => text[0]).join(''), /^<\++>$/)
  t.equal(sent.at(-1), '{"change":1}')
})

t.test('changes – faster than the network – are refused after some, and none is lost before', async (t) => {
  const { connection, sent } = startConnection()
  connection.bufferedAmount = 2 * MEBI
  const outbox = createOutbox(connection)
  outbox.putWhole('x')
  const change = 'y'.repeat(PART_CHARACTERS)
  let taken = 0
  while (outbox.putChange(change)) taken++
  t.ok(taken > 0 && taken * change.length <= 2 * MEBI, `${taken} changes wait`)
  connection.bufferedAmount = 0
  await until(() => !outbox.isBusy, 'an empty outbox')
  t.equal(sent.length, taken + 1)
  t.equal(outbox.putChange(change), true, 'then it takes changes again')
})

t.test('a connection that is lost – and clear – drop all that waits', async (t) => {
  const { connection, sent } = startConnection()
  const outbox = createOutbox(connection)
  connection.isOpen = false
  outbox.putWhole('x'.repeat(3 * PART_CHARACTERS))
  t.equal(outbox.isBusy, false)
  connection.isOpen = true
  connection.bufferedAmount = 2 * MEBI
  outbox.putWhole('dropped')
  outbox.clear()
  connection.bufferedAmount = 0
  outbox.putWhole('sent')
  t.strictSame(sent, ['sent'])
})
