import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { checkNodeRecord } from '../../../lib/registry/nodes/node-record.js'
import fc from '../../support/fast-check.js'

const schema = JSON.parse(readFileSync(new URL('../../../docs/node-contract/node-record.schema.json', import.meta.url), 'utf8'))
const fits = new Ajv().compile(schema)
const wssUrl = 'wss://10.1.2.3:8443/ws/cobrowse/1'

function isAccepted (record: unknown): boolean {
  try {
    checkNodeRecord('node', record)
    return true
  } catch {
    return false
  }
}

const accepted = ['wss://h', 'ws://h/', 'wss://h:443/a', 'ws://h:80', 'wss://[::1]:8443/', 'wss://xn--caf-dma.example/%20',
  'wss://h/a//b', 'wss://h/.well-known/...', 'wss://a_b/~x|[y]', `wss://h/${'x'.repeat(2039)}`]
const refused = [undefined, null, '', 1, 'h', 'http://h/', 'WSS://h/', 'wss:///', 'wss://u@h/', 'wss://u:p@h/',
  'wss://h/?q', 'wss://h/#f', 'wss://h/?', 'wss://h./', 'wss://H/', 'wss://h/ü', 'wss://ü/', 'wss://h/a b', 'wss://h/"', 'wss://h/a/../b',
  'wss://h/.', 'wss://h/%2e%2E/', 'wss://h:08/', 'wss://h:0/', 'wss://h:/', 'wss://h:65536/', 'wss://h\\a', ' wss://h/',
  'wss://h/\n', 'wss://h%41/', 'wss://[::1', 'wss://h/<', 'wss://h/{', `wss://h/${'x'.repeat(2041)}`]
/** Cases that no pattern can express: see "$comment" in the schema. */
const refusedByGatewayAlone = ['wss://127.1/', 'wss://[0::1]/', 'wss://0x7f.0.0.1/', 'wss://1.2.3.256/', 'wss://[1::2::3]/',
  'wss://xn--a/']

t.test('the schema of a node record – accepts the same records as the gateway', async (t) => {
  for (const address of accepted) {
    t.strictSame([isAccepted({ wssUrl: address }), fits({ wssUrl: address })], [true, true], address)
    t.strictSame([isAccepted({ wssUrl, wssUrlOut: address }), fits({ wssUrl, wssUrlOut: address })], [true, true])
  }
  for (const address of refused) {
    const name = String(address).slice(0, 60)
    t.strictSame([isAccepted({ wssUrl: address }), fits({ wssUrl: address })], [false, false], name)
  }
  for (const address of refusedByGatewayAlone) {
    t.strictSame([isAccepted({ wssUrl: address }), fits({ wssUrl: address })], [false, true], address)
  }
})

t.test('the schema – any port – agrees with the gateway', async (t) => {
  const differing = Array.from({ length: 70_000 }, (_, port) => `wss://h:${port}/x`)
    .filter((address) => isAccepted({ wssUrl: address }) !== fits({ wssUrl: address }))
  t.strictSame(differing, [])
})

t.test('the schema – other fields of a record – agrees with the gateway', async (t) => {
  const special = fc.constantFrom(0, 1, 1000, 1000.5, -1, 2 ** 53, 2 ** 53 - 1, '', 'az1', 'a b', 'x'.repeat(65), 'az1\n')
  const number = fc.double({ noNaN: true, noDefaultInfinity: true })
  const value = fc.oneof(fc.jsonValue(), fc.integer(), number, fc.boolean(), special)
  const field = fc.constantFrom('weight', 'zone', 'draining', 'rooms', 'capacity', 'later')
  fc.assert(fc.property(field, value, (name, given) => {
    // The record as read from the store.
    const record = JSON.parse(JSON.stringify({ wssUrl, [name]: given }))
    return isAccepted(record) === fits(record)
  }), { numRuns: 5000 })
  for (const record of [null, [], 'x', 1, {}]) t.strictSame([isAccepted(record), fits(record)], [false, false])
})

t.test('an address accepted by the gateway – fits the schema', async (t) => {
  // The sample omits ^, which newer URL parsers encode and the schema rejects.
  const character = fc.constantFrom(...'az09AZ.-_~!$&\'()*+,;=:@/%?#[]|`{}<>"\\ üç'.split(''))
  const text = fc.array(character, { maxLength: 6 }).map((characters) => characters.join(''))
  const port = fc.constantFrom('', ':443', ':80', ':8443')
  const address = fc.tuple(fc.constantFrom('wss://', 'ws://'), text, port, fc.constantFrom('', '/'), text).map((parts) =>
    parts.join(''))
  let met = 0
  fc.assert(fc.property(address, (address) => {
    if (!isAccepted({ wssUrl: address })) return true
    met++
    return fits({ wssUrl: address })
  }), { numRuns: 20_000 })
  t.ok(met > 500, `${met} addresses`)
})
