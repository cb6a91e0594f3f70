import t from 'tap'
import { DEFAULTS, readOptions } from '../lib/options.js'
import type { CobrowseOptions } from '../types/index.js'

const nothing = () => {}
const adapter = { start: nothing, status: () => ({ state: 'up' as const, since: 0 }), close: async () => {} }
const good = (): CobrowseOptions => ({
  sessions: { ...adapter, find: async () => null },
  registry: {
    ...adapter,
    linger: 20,
    assign: async () => { throw new Error('not asked') },
    nodes: () => [],
    join: async () => { throw new Error('not asked') }
  },
  provision: { ...adapter, externalUrl: async () => null },
  signing: { keys: [{ id: 'k1', secret: 'x'.repeat(32) }] },
  authorize: () => true
})

type Change = Record<string, unknown>
// The options are wrong on purpose; the types reject most of them.
const readChanged = (change: Change) => readOptions({ ...good(), ...change } as CobrowseOptions)
const signing = (change: Change) => ({ signing: { ...good().signing, ...change } })
const key = (change: Change) => signing({ keys: [{ id: 'k', secret: 'x'.repeat(32), ...change }] })

t.test('an omitted or undefined option – has its default', async (t) => {
  const settings = readOptions({ ...good(), timeout: undefined, allowedHosts: undefined })
  const { sessions, registry, provision, authorize, signing, ...rest } = settings
  const { signing: lifetimes, ...defaults } = DEFAULTS
  t.strictSame(rest, defaults)
  t.match(signing, lifetimes)
})

t.test('the caller’s object – frozen or changed later – does not affect the options', async (t) => {
  const secret = Buffer.alloc(32, 'x')
  const given = Object.freeze({
    ...good(), signing: Object.freeze({ keys: Object.freeze([Object.freeze({ id: 'k', secret })]) })
  })
  const before = JSON.stringify(given)
  const settings = readOptions(given)
  t.equal(JSON.stringify(given), before)
  secret.fill('y')
  t.equal(String(settings.signing.keys.first().material), String(Uint8Array.from(Buffer.alloc(32, 'x'))))
  t.ok(Object.isFrozen(settings) && Object.isFrozen(settings.signing))
})

t.test('a wrong or unknown option – stops the start with a sentence that names it', async (t) => {
  const wrong: Array<[Change, RegExp]> = [
    [{ sessions: undefined }, /"sessions" option of fastify-cobrowse must be a token store/],
    [{ sessions: {} }, /"sessions" option of fastify-cobrowse must be a token store .* no method "find"/],
    [{ registry: null }, /"registry" option of fastify-cobrowse must be a registry/],
    [{ provision: 'wss://x' }, /"provision" option of fastify-cobrowse must be a provision adapter/],
    [{ authorize: undefined }, /"authorize" option .*no default.*docs\/security\.md/],
    [{ authorize: true }, /"authorize" option/],
    [{ authorizeRelease: true }, /"authorizeRelease" option .* a function/],
    [{ signing: undefined }, /"signing" option of fastify-cobrowse must be an object/],
    [signing({ keys: [] }), /"signing.keys" option of fastify-cobrowse must be a list of at least one/],
    [signing({ keys: 'k' }), /"signing.keys" option .* a list of keys, a function that returns one, or an object/],
    [signing({ keys: {} }), /"signing.keys" option must be a list, a function, or an object with a method "current"/],
    [signing({ ttl: 0 }), /"signing.ttl" option of fastify-cobrowse must be an integer of at least 1, in seconds/],
    [signing({ ttl: 1.5 }), /"signing.ttl"/],
    [signing({ skew: '5' }), /"signing.skew"/],
    [signing({ algorithm: 'none' }), /"signing.algorithm" is not an option/],
    [key({ id: 'a/b' }), /"signing.keys.0.id" option .*1 to 64/],
    [key({ secret: 'short' }), /"signing.keys.0.secret" option must be at least 32 bytes/],
    [key({ secret: new Uint8Array(31) }), /"signing.keys.0.secret" option must be at least 32 bytes/],
    [signing({ keys: [{ id: 'k', secret: 'x'.repeat(32) }, { id: 'k', secret: 'y'.repeat(32) }] }), /"signing.keys.1.id" option must differ/],
    [signing({ ttl: 16 }), /"signing.ttl" option plus "signing.skew" must be at most the 20 seconds.*linger: 21/],
    [{ path: 'no-slash' }, /"path" option/],
    [{ releasePath: 'no-slash' }, /"releasePath" option/],
    [{ releasePath: '/same', path: '/same' }, /"releasePath" option must differ from "path"/],
    [{ prefix: 'api' }, /"prefix" option/],
    [{ decoratorName: 'not a name' }, /"decoratorName" option .* must be a name that can follow "app."/],
    [{ start: 'eager' }, /"start" option .* must be "lazy" or "strict"/],
    [{ readyDelay: -1 }, /"readyDelay" option .* from 0 to 60000, in milliseconds/],
    [{ sharedOptions: 'db' }, /"sharedOptions" option .* must be a list of names/],
    [{ allowedOrigins: 'https://a.example' }, /"allowedOrigins" option .* must be a list of origins/],
    [{ allowedOrigins: ['https://a.example/'] }, /"allowedOrigins.0" option must be an origin/],
    [{ allowedOrigins: ['*'] }, /"allowedOrigins.0" option must be an origin/],
    [{ allowedHosts: [1] }, /"allowedHosts.0" option/],
    [{ allowInsecure: 1 }, /"allowInsecure" option .* true or false/],
    [{ timeout: 99 }, /"timeout" option .* an integer from 100 to 60000, in milliseconds/],
    [{ timeout: '1500' }, /"timeout" option/],
    [{ timeout: NaN }, /"timeout" option/],
    [{ maxInFlight: 0 }, /"maxInFlight" option .* an integer of at least 1/],
    [{ joinOnlyFor: -1 }, /"joinOnlyFor" option .* an integer of at least 0, in seconds/],
    [{ selectNode: [] }, /"selectNode" option .* a function/],
    [{ metrics: {} }, /"metrics" option .* no method "registerMetric"/],
    [{ timeOut: 1 }, /"timeOut" is not an option of fastify-cobrowse; it takes sessions, registry/]
  ]
  for (const [change, message] of wrong) t.throws(() => readChanged(change), { name: 'TypeError', message }, String(message))
})

t.test('several wrong options – are named in one error, each once', async (t) => {
  try {
    readChanged({ sessions: {}, registry: undefined, timeout: '1500', timeOut: 1, metrics: {} })
    t.fail('accepted')
  } catch (error) {
    const { message } = error as TypeError
    for (const name of ['sessions', 'registry', 'timeout', 'timeOut', 'metrics']) {
      t.equal(message.split(`"${name}" `).length - 1, 1, name)
    }
  }
})

t.test('error messages – show no secret', async (t) => {
  for (const change of [key({ secret: 'hush' }), key({ id: 1, secret: 'hush' }), key({ secret: ['hush'] })]) {
    try {
      readChanged(change)
      t.fail('accepted')
    } catch (error) {
      t.notMatch(String(error), /hush/)
    }
  }
})
