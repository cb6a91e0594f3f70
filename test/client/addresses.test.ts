import t from 'tap'
import { createAddresses } from '../../lib/client/addresses.js'

const answer = (wssUrl: string | undefined, wssUrlOut: string | undefined) => ({ wssUrl, wssUrlOut, signature: 's' })
const both = answer('wss://in', 'wss://out')

t.test('the preferred address – cannot be opened – gives way to the other one, once at once', async (t) => {
  const addresses = createAddresses('wssUrlOut')
  t.equal(addresses.choose(both), 'wss://out')
  t.ok(addresses.fail())
  t.equal(addresses.choose(both), 'wss://in')
  t.notOk(addresses.fail())
  t.equal(addresses.choose(both), 'wss://out')
  addresses.succeed()
  t.equal(addresses.choose(both), 'wss://out')
  t.ok(addresses.fail(), 'after a success the other one is worth a try again')
})

t.test('an answer with one address – that one is chosen, whichever is preferred', async (t) => {
  for (const preferred of ['wssUrl', 'wssUrlOut'] as const) {
    for (const only of [answer('wss://x', undefined), answer(undefined, 'wss://x')]) {
      const addresses = createAddresses(preferred)
      t.equal(addresses.choose(only), 'wss://x')
      t.notOk(addresses.fail(), 'there is no other one')
      t.equal(addresses.choose(only), 'wss://x')
    }
  }
})
