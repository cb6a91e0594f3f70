import t from 'tap'
import { remember } from '../../lib/common/remember.js'

t.test('a remembered function – the same text – calculates once, undefined included', async (t) => {
  let calls = 0
  const known = remember((text) => {
    calls++
    return text === 'none' ? undefined : text.length
  }, 10)
  t.strictSame([known('abc'), known('abc'), known('none'), known('none')], [3, 3, undefined, undefined])
  t.equal(calls, 2)
})

t.test('a remembered function – more texts than it may hold, or long ones – stays right, and bounded', async (t) => {
  const asked: string[] = []
  const known = remember((text) => {
    asked.push(text)
    return text
  }, 2)
  for (const text of ['a', 'b', 'c', 'c', 'a']) t.equal(known(text), text)
  t.strictSame(asked, ['a', 'b', 'c', 'a'])
  const long = 'x'.repeat(257)
  known(long)
  known(long)
  t.equal(asked.filter((text) => text === long).length, 2)
})
