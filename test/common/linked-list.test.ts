import t from 'tap'
import { LinkedList } from '../../lib/common/linked-list.js'
import type { Linked } from '../../lib/common/linked-list.js'

interface Named extends Linked<Named> {
  name: string
}

const named = (name: string): Named => ({ name, before: undefined, after: undefined })

function namesIn ({ first }: LinkedList<Named>): string {
  let names = ''
  for (let entry = first; entry !== undefined; entry = entry.after) names += entry.name
  return names
}

t.test('a list – entries are removed from any place, in any order – keeps the others in their order', async (t) => {
  const orders = ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']
  for (const order of orders) {
    const list = new LinkedList<Named>()
    const entries = new Map(['a', 'b', 'c'].map((name) => [name, named(name)]))
    for (const entry of entries.values()) list.add(entry)
    let left = 'abc'
    for (const name of order) {
      const entry = entries.get(name) ?? named('')
      list.remove(entry)
      list.remove(entry)
      left = left.replace(name, '')
      t.strictSame([namesIn(list), list.size], [left, left.length], `${order}: without ${name}`)
      t.strictSame([entry.before, entry.after], [undefined, undefined], 'holds no other entry')
    }
    list.add(entries.get('b') ?? named(''))
    t.equal(namesIn(list), 'b', 'an entry may return')
  }
})

t.test('a list – an entry of no list is removed – stays as it is', async (t) => {
  const list = new LinkedList<Named>()
  list.add(named('a'))
  list.remove(named('x'))
  t.strictSame([namesIn(list), list.size], ['a', 1])
})
