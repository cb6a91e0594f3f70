import t from 'tap'
import { readReplayerOptions } from '../../lib/replayer/settings.js'
import type { ReplayerOptions } from '../../lib/replayer/index.js'

/** An element inside a page, for Node.js. */
const root = { isConnected: true } as Element
const connection = { on: () => () => {}, send: () => true }
const Replayer = class {}
const valid = { root, connection, Replayer }

// Callers without TypeScript.
const read = (options: object) => readReplayerOptions(options as ReplayerOptions)

t.test('the options – wrong, missing or unknown – are named with their rule', async (t) => {
  t.match(read(valid), { title: 'The shared page' })
  t.match(read({ ...valid, title: 'Seite', signal: undefined }), { title: 'Seite' })
  t.throws(() => read({}), { name: 'TypeError', message: '"root" option of createReplayer must be an element inside the page' })
  const wrong: Array<[name: string, value: unknown, rule: RegExp]> = [
    ['root', { isConnected: false }, /"root" .* an element inside the page/],
    ['root', 'body', /"root"/],
    ['connection', {}, /"connection" .* a connection of the client/],
    ['Replayer', {}, /"Replayer" .* the class Replayer of rrweb/],
    ['title', 7, /"title" .* a string/],
    ['signal', {}, /"signal" .* an AbortSignal/]
  ]
  for (const [name, value, message] of wrong) t.throws(() => read({ ...valid, [name]: value }), { name: 'TypeError', message })
  for (const name of ['Root', 'constructor', 'onNote']) {
    t.throws(() => read({ ...valid, [name]: 1 }), { name: 'TypeError', message: `createReplayer has no option "${name}"` })
  }
})
