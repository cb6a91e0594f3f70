import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import t from 'tap'
import { jwksKeys, publicJwks, verifySignature } from '../../lib/index.js'
import { issuerWith } from '../support/issuer.js'
import { until } from '../support/until.js'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { JwksOptions } from '../../types/index.js'

const NOW = 1_700_000_000_000
const node = { id: 'node-1', incarnation: 'aW5jYXJuYXRpb24tMQ' }
const keyOf = (id: string) => ({ id, privateKey: generateKeyPairSync('ed25519').privateKey })
const [first, second] = [keyOf('ed-1'), keyOf('ed-2')]
const signatureOf = (key: ReturnType<typeof keyOf>) => issuerWith({ keys: [key] })({
  tenant: 't1', room: 'r', user: 'u1', name: 'n', role: 'recorder', node, issuedAt: NOW
})

/** Serves a JWK Set, and counts how often it was read. */
async function serve (t: Test, answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const served = { count: 0, answer, url: '' }
  const server = createServer((request, response) => {
    served.count++
    served.answer(response, request)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  return served
}

const withSet = (set: unknown) => (response: ServerResponse) => { response.end(JSON.stringify(set)) }

t.test('a JWK Set – from an address or a file – verifies', async (t) => {
  const set = publicJwks([first, { id: 'hs', secret: 's'.repeat(32) }])
  t.match(set, { keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'ed-1', alg: 'EdDSA', use: 'sig' }] })
  t.notMatch(JSON.stringify(set), /"d":|sss/, 'no private half and no secret is published')
  const file = `${t.testdir()}/jwks.json`
  // A set may hold keys for other readers.
  writeFileSync(file, JSON.stringify({ keys: [{ kty: 'RSA', n: 'AA', e: 'AQAB' }, null, ...set.keys] }))
  const { url } = await serve(t, withSet(set))
  for (const options of [{ file }, { url }]) {
    const keys = await jwksKeys(options)
    await t.resolves(verifySignature(signatureOf(first), { keys, node, now: NOW }))
    await t.rejects(verifySignature(signatureOf(second), { keys, node, now: NOW }), { code: 'FST_COBROWSE_SIGNATURE' })
  }
})

t.test('a new key – was published after the start – is found at once, and strangers do not make the set be read often', async (t) => {
  const served = await serve(t, withSet(publicJwks([first])))
  const keys = await jwksKeys({ url: served.url })
  served.answer = withSet(publicJwks([second, first]))
  await Promise.all([first, second, second].map(async (key) =>
    await t.resolves(verifySignature(signatureOf(key), { keys, node, now: NOW }))))
  t.equal(served.count, 2, 'one reading for two signatures')
  const unknown = signatureOf(keyOf('ed-3'))
  for (let times = 0; times < 20; times++) await t.rejects(verifySignature(unknown, { keys, node, now: NOW }))
  t.equal(served.count, 2, 'no reading within the cooldown')
})

t.test('a set older than maxAge – is read again with the next signature, which does not wait', async (t) => {
  const served = await serve(t, withSet(publicJwks([first])))
  const keys = await jwksKeys({ url: served.url, maxAge: 1, cooldown: 1 })
  let release = () => {}
  served.answer = (response) => { release = () => withSet(publicJwks([second]))(response) }
  const verify = async () => await verifySignature(signatureOf(first), { keys, node, now: NOW })
  await until(async () => {
    await verify()
    return served.count === 2
  }, 'the second reading')
  await t.resolves(verify(), 'while the set is read')
  release()
  await until(async () => await verify().then(() => false, () => true), 'the removed key is refused')
})

t.test('a set that cannot be read later – the last keys stay, and the failure is told', async (t) => {
  const served = await serve(t, withSet(publicJwks([first])))
  const errors: string[] = []
  const keys = await jwksKeys({
    url: served.url, cooldown: 1, timeout: 1000, onError: ({ message }) => { errors.push(message) }
  })
  const unknown = signatureOf(second)
  for (const [answer, message] of [
    [(response: ServerResponse) => { response.writeHead(503).end('a secret page') }, /status 503/],
    [(response: ServerResponse) => { response.end('{"keys": [tok') }, /is not JSON/],
    [(response: ServerResponse) => { response.end('null') }, /no list "keys"/],
    [withSet({ keys: [] }), /no Ed25519 key/],
    [withSet({ keys: [{ ...first.privateKey.export({ format: 'jwk' }), kid: 'k' }] }), /holds a private key/],
    [(response: ServerResponse) => { response.end('x'.repeat(300_000)) }, /larger than 262144 bytes/],
    [(response: ServerResponse) => { response.writeHead(302, { location: '/' }).end() }, /fetch failed/],
    [() => {}, /timeout/]
  ] as const) {
    served.answer = answer
    await until(async () => {
      await t.rejects(verifySignature(unknown, { keys, node, now: NOW }), { code: 'FST_COBROWSE_SIGNATURE' })
      return errors.length > 0
    }, `an error like ${message}`)
    t.match(errors.splice(0).join(), message)
    await t.resolves(verifySignature(signatureOf(first), { keys, node, now: NOW }))
  }
})

t.test('options – wrong, or a set that cannot be read at the start – reject with the reason', async (t) => {
  const wrong: Array<[JwksOptions, RegExp]> = [
    [{}, /must name one of "url" and "file"/],
    [{ url: 'https://a.example', file: '/x' }, /must name one of "url" and "file"/],
    [{ url: 'jwks.json' }, /"url" option of jwksKeys must be an https:/],
    [{ url: 'http://a.example/jwks.json' }, /"url" option of jwksKeys must be an https:/],
    [{ file: '/x', maxAge: 0 }, /"maxAge" option of jwksKeys must be an integer of at least 1, in seconds/],
    [{ file: `${t.testdir()}/none.json` }, /ENOENT/]
  ]
  for (const [options, message] of wrong) await t.rejects(jwksKeys(options), message)
})
