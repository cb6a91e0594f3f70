import t from 'tap'
import { createTenantCache } from '../../lib/common/tenant-cache.js'
import fc from '../support/fast-check.js'

const SEED = 20261127

t.test('a cache – at its bound – keeps the most recently used entries', async (t) => {
  const cache = createTenantCache<number>(3)
  for (const key of ['a', 'b', 'c']) cache.set('t', key, 1)
  t.equal(cache.get('a'), 1)
  cache.set('t', 'd', 2)
  t.strictSame(['a', 'b', 'c', 'd'].map((key) => cache.get(key)), [1, undefined, 1, 2])
  cache.set('t', 'd', 3)
  t.equal(cache.get('d'), 3, 'a newer value replaces the older one')
  cache.delete('d')
  t.equal(cache.get('d'), undefined)
  t.equal(cache.size, 2)
  cache.clear()
  t.equal(cache.size, 0)
  t.equal(cache.get('a'), undefined)
})

t.test('an entry – its key set by another tenant – counts in the share of that tenant', async (t) => {
  const cache = createTenantCache<number>(4)
  cache.set('a', 'shared', 1)
  cache.set('b', 'shared', 2)
  for (let key = 0; key < 10; key++) cache.set('a', `a${key}`, key)
  t.equal(cache.get('shared'), 2)
})

t.test('many tenants – each within its share – lose nothing to one that fills the cache', async (t) => {
  const cache = createTenantCache<number>(1000)
  const entries = Array.from({ length: 990 }, (_, number) => ({ key: `key-${number}`, number }))
  for (const { key, number } of entries) cache.set(`t${number % 99}`, key, number)
  for (let key = 0; key < 5000; key++) cache.set('greedy', `g${key}`, key)
  t.equal(cache.size, 1000)
  for (const { key, number } of entries) t.equal(cache.get(key), number)
  t.equal(cache.get('g4999'), 4999)
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
      if (kind === 'delete') cache.delete(key)
      const isHeld = cache.get(key) === number
      if (kind === 'set' && !isHeld) return false
      wanted.set(tenant, isHeld ? [...keys, key] : keys)
      if (cache.size > MAX) return false
      // The last entries of each tenant, up to an equal share, must be present.
      for (const last of wanted.values()) {
        const share = last.slice(-MAX / TENANTS.length)
        const before = cache.size
        if (share.some((one) => cache.get(one) === undefined) || cache.size !== before) return false
      }
    }
    return true
  }), { seed: SEED, numRuns: 300 })
})
