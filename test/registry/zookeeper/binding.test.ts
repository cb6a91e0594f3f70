import t from 'tap'
import { parseBinding, toText } from '../../../lib/registry/zookeeper/binding.js'
import { BUCKETS, bucketOf, createLayout } from '../../../lib/registry/zookeeper/layout.js'
import { UnreadableBindingError } from '../../../lib/common/unavailable.js'
import fc from '../../support/fast-check.js'
import { newRoom } from '../../../lib/testing/contracts/rooms.js'
import type { Binding } from '../../../lib/registry/zookeeper/binding.js'

const name = fc.stringMatching(/^[\w.:-]{1,64}$/)
const binding: fc.Arbitrary<Binding> = fc.record({
  member: fc.option(fc.tuple(name, name).map((names) => names.join('|')), { nil: undefined }),
  state: fc.constantFrom('assigned', 'claimed', 'released', 'ended', 'moving', 'moved'),
  claims: fc.maxSafeNat(),
  endedAt: fc.maxSafeNat(),
  target: name
}, { noNullPrototype: true, requiredKeys: ['member', 'state', 'claims', 'endedAt'] })

t.test('a written binding – is read unchanged, and no two writes are equal', async (t) => {
  fc.assert(fc.property(binding, (given) => {
    const text = toText(given)
    t.strictSame(parseBinding(text), given)
    t.not(toText(given), text)
  }), { numRuns: 200 })
})

t.test('an unreadable binding – is never taken for an unbound room', async (t) => {
  fc.assert(fc.property(binding, fc.nat(5), (given, field) => {
    const fields = toText(given).split('|')
    t.throws(() => parseBinding(fields.toSpliced(field, 1).join('|')), UnreadableBindingError)
    t.throws(() => parseBinding(fields.toSpliced(field, 1, '|').join('|')), UnreadableBindingError)
  }), { numRuns: 50 })
  for (const text of [
    '', '|', '{}', 'null', 'garbage', 'n1|i|open|0|0|w', 'n1|i|claimed|-1|0|w', 'n1|i|claimed|1.5|0|w', 'n1|i|claimed|0|0|',
    'n1|i|claimed|0|0|w|w', 'a/../b|i|claimed|0|0|w', `n1|i|claimed|${'9'.repeat(400)}|0|w`, '|i|claimed|0|0|w', 'n1||claimed|0|0|w', 'n1|i|claimed|0|0|w\n', '\nn1|i|claimed|0|0|\u0000'
  ]) t.throws(() => parseBinding(text), UnreadableBindingError, JSON.stringify(text))
})

t.test('every room – has a bucket that the sweep visits', async (t) => {
  const layout = createLayout('/x')
  t.equal(new Set(BUCKETS).size, 64 * 64)
  const used = Array.from({ length: 1000 }, () => bucketOf(layout.roomKey(newRoom())))
  t.strictSame(used.filter((bucket) => !BUCKETS.includes(bucket)), [])
})
