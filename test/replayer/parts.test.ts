import t from 'tap'
import { createParts } from '../../lib/replayer/parts.js'

t.test('the parts of an event – from first to last – are joined', async (t) => {
  const { add } = createParts()
  t.strictSame(['<ab', '+cd', '+', '>ef'].map(add), [undefined, undefined, undefined, 'abcdef'])
  t.strictSame(['<x', '>y'].map(add), [undefined, 'xy'], 'another event')
})

t.test('a part – without a first one – is ignored', async (t) => {
  const { add, drop } = createParts()
  t.strictSame(['+a', '>b'].map(add), [undefined, undefined])
  add('<a')
  drop()
  t.equal(add('>b'), undefined, 'after a drop')
  t.strictSame(['<a', '<b', '>c'].map(add), [undefined, undefined, 'bc'], 'a new first part drops an unfinished event')
})

t.test('an event that never ends – in large or in tiny parts – is dropped at a limit', async (t) => {
  const part = '+'.padEnd(256 * 1024 + 1, 'x')
  for (const [message, most] of [[part, 128], ['+', 1023]] as const) {
    const { add } = createParts()
    add('<')
    for (let count = 0; count < most; count++) add(message)
    t.throws(() => add(message), { message: 'it is too large' })
    t.equal(add(message), undefined)
    t.equal(add('>'), undefined, 'its end is ignored')
    add('<a')
    t.equal(add('>b'), 'ab', 'the next event is read')
  }
})
