import t from 'tap'
import { createTenantCache } from '../../lib/common/tenant-cache.js'
import fc from '../support/fast-check.js'

const SEED = 20261127

t.test('a cache – at its bound – keeps the most recently used entries', async (t) => {
  const cache = createTenantCache<number>(3)
  for (const key of ['a', 'b', 'c']) cache.set('t', key, 1)
  t.equal(cache.get('t', 'a'), 1)
  cache.set('t', 'd', 2)
  t.strictSame(['a', 'b', 'c', 'd'].map((key) => cache.get('t', key)), [1, undefined, 1, 2])
  cache.set('t', 'd', 3)
  t.equal(cache.get('t', 'd'), 3, 'a newer value replaces the older one')
  cache.delete('t', 'd')
  t.equal(cache.get('t', 'd'), undefined)
  t.equal(cache.size, 2)
  cache.clear()
  t.equal(cache.size, 0)
  t.equal(cache.get('t', 'a'), undefined)
})

t.test('a key that is written again – counts as used', async (t) => {
  const cache = createTenantCache<number>(2)
  for (const key of ['a', 'b', 'a', 'c']) cache.set('t', key, 1)
  t.strictSame(['a', 'b', 'c'].map((key) => cache.has('t', key)), [true, false, true])
})

t.test('one key – of two tenants – is two entries', async (t) => {
  const cache = createTenantCache<number>(4)
  cache.set('a', 'shared', 1)
  cache.set('b', 'shared', 2)
  t.strictSame([cache.get('a', 'shared'), cache.get('b', 'shared'), cache.size], [1, 2, 2])
  for (let key = 0; key < 10; key++) cache.set('a', `a${key}`, key)
  t.strictSame([cache.has('a', 'shared'), cache.has('b', 'shared'), cache.size], [false, true, 4])
  cache.delete('b', 'a9')
  t.equal(cache.get('a', 'a9'), 9)
})

t.test('many tenants – each within its share – lose nothing to one that fills the cache', async (t) => {
  const cache = createTenantCache<number>(1000)
  const entries = Array.from({ length: 990 }, (_, number) => ({ key: `key-${number}`, number }))
  for (const { key, number } of entries) cache.set(`t${number % 99}`, key, number)
  for (let key = 0; key < 5000; key++) cache.set('greedy', `g${key}`, key)
  t.equal(cache.size, 1000)
  for (const { key, number } of entries) t.equal(cache.get(`t${number % 99}`, key), number)
  t.equal(cache.get('greedy', 'g4999'), 4999)
})

t.test(`a cache – random tenants – keeps its bound and each equal share (seed ${SEED})`, async (t) => {
  const MAX = 12
  const TENANTS = ['a', 'b', 'c']
  const step = fc.record({
    tenant: fc.constantFrom(...TENANTS), key: fc.nat(20), kind: fc.constantFrom('set', 'set', 'set', 'get', 'delete')
  })
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const cache = createTenantCache<number>(MAX)
    const wanted = new Map(TENANTS.map((tenant) => [tenant, [] as string[]]))
    for (const { tenant, key: number, kind } of steps) {
      const key = `${tenant}${number}`
      const keys = (wanted.get(tenant) ?? []).filter((other) => other !== key)
      if (kind === 'set') cache.set(tenant, key, number)
      if (kind === 'delete') cache.delete(tenant, key)
      const isHeld = cache.get(tenant, key) === number
      if (kind === 'set' && !isHeld) return false
      wanted.set(tenant, isHeld ? [...keys, key] : keys)
      if (cache.size > MAX) return false
      // The last entries of each tenant, up to an equal share, must be present.
      for (const [owner, last] of wanted) {
        const share = last.slice(-MAX / TENANTS.length)
        const before = cache.size
        if (share.some((one) => cache.get(owner, one) === undefined) || cache.size !== before) return false
      }
    }
    return true
  }), { seed: SEED, numRuns: 300 })
})
