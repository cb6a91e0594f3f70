import t from 'tap'
import { randomId } from '../lib/random-id.js'

t.test('random ids – more than one block of them – have 22 characters of Base64url, and are all different', async (t) => {
  const ids = Array.from({ length: 2000 }, randomId)
  t.equal(new Set(ids).size, ids.length)
  t.ok(ids.every((id) => /^[A-Za-z0-9_-]{22}$/.test(id)))
})
