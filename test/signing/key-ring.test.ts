import t from 'tap'
import { createKeyRing } from '../../lib/signing/key-ring.js'
import type { SigningKey, SigningKeys } from '../../types/index.js'

const key = (id: string): SigningKey => ({ id, secret: id.repeat(32) })

t.test('a list of keys – changed later – stays as it was', async (t) => {
  const list = [key('a'), key('b')]
  const ring = createKeyRing(list, true)
  list.reverse()
  list.pop()
  t.equal(ring.first().id, 'a')
  t.equal((await ring.find('b'))?.id, 'b')
  t.equal(await ring.find('c'), undefined)
})

t.test('a function or an object with "current" – gives other keys later – they are used at once', async (t) => {
  class Vault {
    keys = [key('a')]
    current () { return this.keys }
  }
  const vault = new Vault()
  let list = [key('a')]
  for (const [source, change] of [
    [vault, (keys: SigningKey[]) => { vault.keys = keys }],
    [() => list, (keys: SigningKey[]) => { list = keys }],
    [() => [...list], (keys: SigningKey[]) => { list = keys }]
  ] as const) {
    change([key('a')])
    const ring = createKeyRing(source, true)
    const before = ring.first()
    t.equal(ring.first(), before, 'the same keys are not read again')
    change([key('b'), key('a')])
    t.equal(ring.first().id, 'b')
    t.equal((await ring.find('a'))?.id, 'a')
    change([key('b')])
    t.equal(await ring.find('a'), undefined)
    change([{ id: 'b', secret: 'another secret for the same name' }])
    t.not(ring.first().sign?.('x'), before.sign?.('x'))
  }
})

t.test('a source – gives no usable keys later – the last good ones stay, and the first failure is reported', async (t) => {
  let answer = (): unknown => [key('a')]
  // Wrong on purpose.
  const ring = createKeyRing((() => answer()) as SigningKeys, true)
  const reasons: string[] = []
  ring.onFault((reason) => reasons.push(reason))
  const failures: Array<[() => unknown, RegExp]> = [
    [() => { throw new Error('a secret of the vault') }, /^Error$/],
    [() => undefined, /^TypeError$/],
    [async () => [key('b')], /"signing.keys" must not be asynchronous/],
    [async () => { throw new Error('rejected') }, /must not be asynchronous/],
    [() => [], /at least one/],
    [() => [null], /"keys.0.id" option of signing/],
    [() => [{ id: 'b', secret: 'hush' }], /"signing.keys.0.secret" option must be at least 32 bytes/]
  ]
  for (const [failure, reason] of failures) {
    answer = failure
    for (let times = 0; times < 3; times++) t.equal(ring.first().id, 'a')
    t.match(reasons.splice(0), [reason], 'is reported once')
    answer = () => [key('a')]
    t.equal(ring.first().id, 'a')
  }
  answer = () => [key('b')]
  t.equal(ring.first().id, 'b', 'and good keys are taken again')
  t.strictSame(reasons, [])
})

t.test('a source – has no usable keys to begin with – stops the start', async (t) => {
  for (const source of [() => [], () => ({}), {}, null, 'keys', async () => [key('a')], () => { throw new Error('vault') }]) {
    // Wrong on purpose.
    t.throws(() => createKeyRing(source as SigningKeys, true))
  }
})

t.test('a key that is unknown – makes the source read its keys again, once', async (t) => {
  let list = [key('a')]
  let readings = 0
  const ring = createKeyRing({
    current: () => list,
    async refresh () {
      readings++
      list = [key('b'), key('a')]
    }
  }, false)
  t.equal((await ring.find('a'))?.id, 'a')
  t.equal(readings, 0)
  t.equal((await ring.find('b'))?.id, 'b')
  t.equal(readings, 1)
  t.equal(await ring.find('c'), undefined)
})
