import t from 'tap'
import { address, startHttpServer, startRawServer, tlsFixture } from '../../support/http-server.js'
import { GOOD, GOOD_URL, startHttp } from '../start-http.js'

const ca = tlsFixture('ca.pem')

t.test('a certificate of a named authority – any form of "ca" – is trusted', async (t) => {
  const server = await startHttpServer(t, address(GOOD), 'server.pem')
  for (const form of [ca, ca.toString(), new Uint8Array(ca), [tlsFixture('self-signed.pem'), ca]]) {
    t.equal(await startHttp(t, { url: server.url, ca: form, timeout: 5000 }).ask(), GOOD_URL)
  }
})

for (const [certificate, trusted, code] of [
  ['expired.pem', ca, 'CERT_HAS_EXPIRED'],
  ['wrong-name.pem', ca, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['server.pem', undefined, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['self-signed.pem', ca, 'DEPTH_ZERO_SELF_SIGNED_CERT']
] as const) {
  t.test(`${certificate} ${trusted === undefined ? 'of an unknown authority ' : ''}– is a TLS failure, not retried`,
    async (t) => {
      const server = await startHttpServer(t, address(GOOD), certificate)
      const { askInVain, provision } = startHttp(t, { url: server.url, ca: trusted, timeout: 5000 })
      t.equal(await askInVain(t), `TLS failure (${code})`)
      t.match(provision.status(), { state: 'down', reason: `TLS failure (${code})` })
      t.equal(server.requests.length, 0, 'nothing was sent')
      t.equal(server.connections(), 1)
    })
}

t.test('plain HTTP on the port – is a TLS failure', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const { askInVain } = startHttp(t, { url: server.url.replace('http:', 'https:'), ca, timeout: 5000 })
  t.match(await askInVain(t), /^TLS failure/)
})

t.test('TLS on the port of plain HTTP – is a failure', async (t) => {
  const server = await startHttpServer(t, address(GOOD), 'server.pem')
  const { askInVain } = startHttp(t, { url: server.url.replace('https:', 'http:'), timeout: 5000 })
  t.match(await askInVain(t), /^(broken HTTP|connection lost)/)
})

t.test('a handshake that never ends – is cut off by the timeout', async (t) => {
  const server = await startRawServer(t, () => {})
  const { askInVain } = startHttp(t, { url: server.url.replace('http:', 'https:'), ca, timeout: 250 })
  t.equal(await askInVain(t), 'timed out')
})
