import { PassThrough } from 'node:stream'
import t from 'tap'
import { createLogStream } from '../../demo/log-stream.js'
import { until } from '../support/until.js'

const LINE = `{"msg":"${'x'.repeat(1000)}"}\n`

t.test('a log that is not read – lines beyond 1 MiB – drops them, and counts them once read again', async (t) => {
  const output = new PassThrough()
  const log = createLogStream(output)
  for (let lines = 0; lines < 3000; lines++) log.write(LINE)
  t.ok(output.writableLength < 1.1 * 1024 * 1024)
  let text = ''
  output.on('data', (chunk) => { text += String(chunk) })
  await until(() => output.writableLength === 0, 'all waiting lines to be read')
  const kept = text.split('\n').length - 1
  log.write('{"msg":"last"}\n')
  await until(() => text.endsWith('{"msg":"last"}\n'), 'the next line')
  const lines = text.trim().split('\n').map((line) => JSON.parse(line))
  t.match(lines.at(-2), { level: 40, dropped: 3000 - kept, msg: 'log lines dropped' })
  t.equal(lines.length, kept + 2)
})

t.test('a log whose reader is gone – any line – costs nothing else', async (t) => {
  const output = new PassThrough()
  const log = createLogStream(output)
  output.destroy(new Error('EPIPE'))
  await until(() => output.closed, 'the reader to close')
  t.doesNotThrow(() => log.write(LINE))
  await new Promise((resolve) => setImmediate(resolve))
})
