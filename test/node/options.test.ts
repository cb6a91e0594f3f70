import { readFileSync } from 'node:fs'
import t from 'tap'
import { joinCobrowse } from '../../lib/node/index.js'
import { NODE_DEFAULTS, readNodeOptions } from '../../lib/node/options.js'
import { memoryRegistry } from '../../lib/registry/memory.js'
import type { NodeOptions } from '../../lib/node/index.js'

const secret = 's'.repeat(32)
const good = (): NodeOptions => ({
  registry: memoryRegistry(), wssUrl: 'wss://n.example/ws', signing: { keys: [{ id: 'k', secret }] }
})

t.test('a wrong or unknown option – is rejected with its name and the rule', async (t) => {
  const wrong: Array<[Record<string, unknown>, RegExp]> = [
    [{ registry: undefined }, /"registry" option of joinCobrowse must be a registry/],
    [{ registry: {} }, /"registry" option of joinCobrowse .* has no method "join"/],
    [{ wssUrl: undefined }, /"wssUrl" option of joinCobrowse must be an address/],
    [{ wssUrl: 'https://n.example/' }, /"wssUrl" must begin with wss:/],
    [{ wssUrlOut: 'wss://u:p@n.example/' }, /"wssUrlOut" must not carry credentials/],
    [{ id: 'n 1' }, /"id" must be 1 to 64/],
    [{ id: null }, /"id" must be 1 to 64/],
    [{ weight: 0 }, /"weight" must be/],
    [{ zone: '' }, /"zone" must be/],
    [{ capacity: 1.5 }, /"capacity" must be/],
    [{ signing: undefined }, /"signing" option of joinCobrowse must be an object/],
    [{ signing: { keys: [] } }, /"signing.keys" option .* at least one/],
    [{ signing: { keys: [{ id: 'k', secret: 'short' }] } }, /"signing.keys.0.secret" option must be at least 32 bytes/],
    [{ signing: { keys: [{ id: 'k', secret }, { id: 'k', secret }] } }, /"signing.keys.1.id" option must differ/],
    [{ signing: { keys: [{ id: 'k', secret }], ttl: 16 } }, /"signing.ttl" option plus "signing.skew" .* linger: 21/],
    [{ signing: { keys: [{ id: 'k', secret }], skew: 0 } }, /"signing.skew" option .* at least 1, in seconds/],
    [{ allowedOrigins: 'https://app.example' }, /"allowedOrigins" option .* list of origins/],
    [{ allowedOrigins: ['https://app.example/'] }, /"allowedOrigins.0" option must be an origin/],
    [{ maxSeats: 0 }, /"maxSeats" option .* at least 1/],
    [{ seatsPerRoom: '3' }, /"seatsPerRoom" option .* at least 1/],
    [{ patience: 0 }, /"patience" option .* in milliseconds/],
    [{ suspendFor: 2 ** 31 }, /"suspendFor" option .* in milliseconds/],
    [{ alowedOrigins: [] }, /"alowedOrigins" is not an option of joinCobrowse; it takes registry, id/]
  ]
  for (const [change, message] of wrong) {
    const options = { ...good(), ...change } as NodeOptions // A program without types may pass this.
    await t.rejects(joinCobrowse(options), { name: 'TypeError', message }, JSON.stringify(change))
  }
  await t.rejects(joinCobrowse(null as unknown as NodeOptions), { name: 'TypeError' })
  t.notMatch(await joinCobrowse({ ...good(), signing: { keys: [{ id: 'k', secret: 'hush' }] } })
    .catch(({ message }) => message), 'hush')
})

t.test('the caller’s object – is neither changed nor read again', async (t) => {
  const keys = [{ id: 'k', secret: Buffer.from(secret) }]
  const allowedOrigins = ['https://app.example']
  const options = Object.freeze({ ...good(), signing: Object.freeze({ keys }), allowedOrigins })
  const { signing, allowedOrigins: origins, record } = readNodeOptions(options)
  keys[0]?.secret.fill(0)
  keys.pop()
  allowedOrigins.push('https://evil.example')
  t.strictSame(String(Buffer.from(signing.keys.first().material as Uint8Array)), secret)
  t.match(signing, { ttl: 15, skew: 5 })
  t.strictSame(origins, ['https://app.example'])
  t.match(record.id, /^node-[0-9a-f]{16}$/, 'a generated id')
})

t.test('an option given as undefined – counts as omitted', async (t) => {
  const options = {
    id: undefined, weight: undefined, allowedOrigins: undefined, maxSeats: undefined, patience: undefined
  }
  t.match(readNodeOptions({ ...good(), ...options }), NODE_DEFAULTS)
})

t.test('each @default in the types – equals the real default', async (t) => {
  const source = readFileSync(new URL('../../types/node.ts', import.meta.url), 'utf8')
  const found = [...source.matchAll(/@default (\d+)\n\s+\*\/\n\s+(\w+)\?/g)]
    .map(([, value, name]) => [name, Number(value)])
  t.strictSame(found, [...Object.entries(NODE_DEFAULTS), ['deadline', 600_000], ['returnWithin', 0]])
})
