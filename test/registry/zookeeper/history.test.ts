import t from 'tap'
import { createHistory, keepNoHistory, parseHistory } from '../../../lib/registry/zookeeper/history.js'

const CLAIMED = { event: 'claimed', node: 'n1' } as const

t.test('a history – of many events – keeps the latest 16', async (t) => {
  let now = 0
  const add = createHistory({ wall: () => ++now })
  let text: string | undefined
  for (let events = 0; events < 40; events++) text = add(text, CLAIMED)
  t.strictSame(parseHistory(text).map(({ at }) => at), Array.from({ length: 16 }, (_, ago) => 40 - ago))
})

t.test('a history – of long events – stays short, and keeps the latest one', async (t) => {
  const add = createHistory({ wall: () => 0 })
  const reason = '"'.repeat(200)
  let text: string | undefined
  for (let events = 0; events < 40; events++) text = add(text, { event: 'moved', node: 'n1', why: { reason, author: 'anna' } })
  t.ok(Number(text?.length) <= 4000, `${text?.length} characters`)
  t.ok(parseHistory(text).length > 4)
  t.equal(parseHistory(add(text, { ...CLAIMED, node: 'x'.repeat(5000) })).length, 1)
})

t.test('a history – that no process of the project wrote – counts as none', async (t) => {
  for (const text of [undefined, '', '[', '{}', 'null', '[null,1,"x",{"event":"other"}]']) t.strictSame(parseHistory(text), [])
  t.equal(keepNoHistory('[]', CLAIMED), undefined)
})
