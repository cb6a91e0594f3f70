import assert from 'node:assert/strict'
import t from 'tap'
import { addressFault, createAddressCheck, withNodePath } from '../../lib/common/address.js'
import fc from '../support/fast-check.js'

const ALLOWED = ['node1.corp.example', '10.0.0.0/8', '192.0.2.7', '2001:db8::/32']
const LONG_PATH = `/${'a'.repeat(2048 - 'wss://node1.corp.example/'.length)}`

t.test('a WebSocket URL – in a parser’s own notation – passes', async (t) => {
  const check = createAddressCheck({ allowedHosts: ALLOWED })
  for (const address of [
    'wss://node1.corp.example', 'wss://node1.corp.example/', 'wss://node1.corp.example/ws/cobrowse/1',
    'wss://node1.corp.example:8443/ws/cobrowse/1', 'wss://node1.corp.example:443/', 'wss://10.1.2.3:8443/ws',
    'wss://192.0.2.7/', 'wss://[2001:db8::7]:8443/ws', 'wss://node1.corp.example/a%20b', `wss://node1.corp.example${LONG_PATH}`
  ]) {
    t.equal(addressFault(address), undefined, address)
    t.equal(check(address), undefined, address)
  }
})

t.test('an address that is not a plain WebSocket URL – any hosts allowed – is rejected', async (t) => {
  const refused: Array<[address: unknown, fault: RegExp]> = [
    ['wss://node1.corp.example@evil.test/', /credentials/],
    ['wss://:x@node1.corp.example/', /credentials/],
    ['wss://@node1.corp.example/', /as a URL parser prints it/],
    ['wss://evil.test?x=.corp.example', /query/],
    ['wss://node1.corp.example/?', /query/],
    ['wss://0x7f.1/.corp.example', /as a URL parser prints it/],
    ['wss://2130706433/', /as a URL parser prints it/],
    ['wss://127.1/', /as a URL parser prints it/],
    ['wss://[::ffff:127.0.0.1]/', /as a URL parser prints it/],
    ['wss://[2001:DB8::7]/', /as a URL parser prints it/],
    ['wss://node1.corp.example:99999', /must be a URL/],
    ['wss://node1.corp.example:0', /port 0/],
    ['wss://node1.corp.example:22', /port 22/],
    ['wss://node1.corp.example:6000/', /port 6000/],
    ['wss://node1.corp.example:08443/', /as a URL parser prints it/],
    ['wss://node1.corp.example:/', /as a URL parser prints it/],
    ['wss://node1\t.corp.example', /as a URL parser prints it/],
    [' wss://node1.corp.example', /as a URL parser prints it/],
    ['wss://node1.corp.example/\r\nX: y', /as a URL parser prints it/],
    ['wss://node1.corp.example\\@evil.test', /as a URL parser prints it/],
    ['javascript:alert(1)', /begin with wss/],
    ['data:text/plain,x', /begin with wss/],
    ['https://node1.corp.example', /begin with wss/],
    ['//node1.corp.example', /must be a URL/],
    ['node1.corp.example:8443', /begin with wss/],
    ['wss:node1.corp.example', /as a URL parser prints it/],
    ['wss:///node1.corp.example', /as a URL parser prints it/],
    ['wss://node1.corp.ехample', /as a URL parser prints it/],
    ['wss://node1.corp.example.', /trailing dot/],
    ['wss://node1.corp.example/%2e%2e/x', /as a URL parser prints it/],
    ['wss://node1.corp.example/../x', /as a URL parser prints it/],
    ['WSS://node1.corp.example', /as a URL parser prints it/],
    ['wss://Node1.corp.example', /as a URL parser prints it/],
    ['wss://node1.corp.example#x', /fragment/],
    ['wss://node1.corp.example/#', /fragment/],
    [`wss://node1.corp.example${LONG_PATH}a`, /longer than 2048/],
    ['wss://[fe80::1%25eth0]/', /must be a URL/],
    ['', /non-empty string/],
    [undefined, /non-empty string/],
    [null, /non-empty string/],
    [7, /non-empty string/],
    [['wss://node1.corp.example'], /non-empty string/],
    [new URL('wss://node1.corp.example'), /non-empty string/]
  ]
  for (const [address, fault] of refused) t.match(addressFault(address), fault, JSON.stringify(address))
})

t.test('a look-alike address – is compared by the host that it would reach', async (t) => {
  const check = createAddressCheck({ allowedHosts: ALLOWED })
  for (const address of [
    'wss://evil.test/.corp.example', 'wss://node1.corp.example.evil.test/', 'wss://127.0.0.1:6379/.corp.example',
    'wss://169.254.169.254/', 'wss://corp.example/', 'wss://xnode1.corp.example/', 'wss://11.0.0.1/',
    'wss://192.0.2.8/', 'wss://[2001:db9::1]/', 'wss://[::ffff:7f00:1]/', 'wss://xn--e1afmkfd.example/'
  ]) {
    t.equal(addressFault(address), undefined, 'a valid address on its own')
    t.equal(check(address), 'must have a host that "allowedHosts" lists', address)
  }
})

t.test('an empty list of hosts allows none – a missing list allows all', async (t) => {
  t.match(createAddressCheck({ allowedHosts: [] })('wss://node1.corp.example/'), /allowedHosts/)
  t.equal(createAddressCheck()('wss://anything.example/'), undefined)
})

t.test('a ws: address – passes only for loopback, or if plain WebSockets are allowed', async (t) => {
  const strict = createAddressCheck()
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]']) {
    t.equal(strict(`ws://${host}:8446/ws`), undefined, host)
    t.match(createAddressCheck({ allowedHosts: ALLOWED })(`ws://${host}:8446/ws`), /allowedHosts/)
  }
  for (const host of ['node1.corp.example', 'localhost.evil.test', '10.0.0.1', '[2001:db8::7]', '0.0.0.0']) {
    t.equal(strict(`ws://${host}:8446/ws`), 'must begin with wss://', host)
    t.equal(createAddressCheck({ allowInsecure: true })(`ws://${host}:8446/ws`), undefined, host)
  }
})

t.test('an entry of "allowedHosts" that can never match – stops the start', async (t) => {
  for (const entry of [
    '', 'Node1.corp.example', 'https://node1.corp.example', 'node1.corp.example:8443', '*.corp.example', '-x', 'x.',
    'node1.corp.example/24', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/x', '2001:db8::/129', '10.0.0', '127.1',
    '0x7f.0.0.1', '[::1]', '256.1.1.1', 'a..b', 'corp.ехample'
  ]) {
    t.throws(() => createAddressCheck({ allowedHosts: [entry] }), {
      name: 'TypeError', message: `"allowedHosts" option: "${entry}"`
    }, entry)
  }
})

t.test('the path of the node is put to the entry of the deployment', async (t) => {
  const node = 'wss://10.1.2.3:8443/ws/cobrowse/1'
  for (const [answer, url] of Object.entries({
    'entry.example': 'wss://entry.example/ws/cobrowse/1',
    'entry.example:8443': 'wss://entry.example:8443/ws/cobrowse/1',
    'entry.example/': 'wss://entry.example/ws/cobrowse/1',
    '2001:db8::7': 'wss://[2001:db8::7]/ws/cobrowse/1',
    '[2001:db8::7]:8443': 'wss://[2001:db8::7]:8443/ws/cobrowse/1',
    'wss://entry.example': 'wss://entry.example/ws/cobrowse/1',
    'wss://entry.example/other/path': 'wss://entry.example/ws/cobrowse/1',
    'ws://127.0.0.1:8446': 'ws://127.0.0.1:8446/ws/cobrowse/1'
  })) {
    t.equal(withNodePath(answer, node), url, answer)
    t.equal(withNodePath(url, node), url, 'and putting it there again changes nothing')
  }
  t.equal(withNodePath('entry.example', 'wss://10.1.2.3'), 'wss://entry.example/')
})

t.test('an invalid answer – path of a node appended – stays invalid', async (t) => {
  for (const answer of [
    '', ' ', '/', '//evil.test', 'wss:evil.test', 'javascript:alert(1)', 'entry.example?x', 'entry.example/?x',
    'entry.example#x', 'wss://entry.example/#x', 'user@entry.example', 'wss://entry.example\\@evil.test/',
    'entry.example/\\evil.test', 'entry.example:99999', 'entry.example:22', 'Entry.example', 'entry.example.',
    'https://entry.example', 'wss://entry.example/a\r\nX: y', 'entry\t.example', 'fe80::1%eth0', 'wss://', '://'
  ]) {
    for (const node of ['wss://10.1.2.3:8443/ws/cobrowse/1', 'wss://10.1.2.3']) {
      t.type(addressFault(withNodePath(answer, node)), 'string', JSON.stringify(answer))
    }
  }
})

t.test('an address that passes – re-parsed – means the same to every parser', async (t) => {
  const pieces = fc.constantFrom(
    'wss://', 'ws://', 'wss:', '//', '/', '\\', '@', ':', '?', '#', '.', '..', '%2e', '%', '[', ']', '::1', ' ', '\t', '\n',
    'corp.example', 'CORP', 'х', '127.0.0.1', '0x7f', '1', '443', '8443', '65536', '\u0000', '\ud800'
  )
  const addresses = fc.oneof(
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.array(pieces, { maxLength: 6 }).map((parts) => `wss://${parts.join('')}`),
    fc.webUrl({ validSchemes: ['wss', 'ws'] }),
    fc.string()
  )
  const defaultPort: Record<string, RegExp> = {
    'wss:': /^(wss:\/\/[^/]+):443(?=\/|$)/, 'ws:': /^(ws:\/\/[^/]+):80(?=\/|$)/
  }
  let passed = 0
  fc.assert(fc.property(addresses, (address) => {
    if (addressFault(address) !== undefined) return
    passed++
    const url = new URL(address)
    const withoutDefaultPort = address.replace(defaultPort[url.protocol] ?? '', '$1')
    assert.ok(url.href === withoutDefaultPort || url.href === `${withoutDefaultPort}/`)
    assert.match(url.protocol, /^wss?:$/)
    assert.equal(url.username + url.password + url.search + url.hash, '')
    assert.match(address, /^[!-~]+$/)
  }), { numRuns: 2000 })
  t.ok(passed > 100, `${passed} of the tried addresses pass`)
})
