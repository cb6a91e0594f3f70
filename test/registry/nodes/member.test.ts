import t from 'tap'
import { memberOf, splitMember } from '../../../lib/registry/nodes/member.js'

t.test('a member – made and split – has both parts again', async (t) => {
  t.equal(memberOf({ id: 'n1', incarnation: 'a' }), 'n1|a')
  t.strictSame(splitMember('n1|a'), { id: 'n1', incarnation: 'a' })
})

t.test('a member – with another number of signs – is split at the last one', async (t) => {
  t.strictSame(splitMember('n|1|a'), { id: 'n|1', incarnation: 'a' })
  t.strictSame(splitMember('a'), { id: '', incarnation: 'a' })
})
