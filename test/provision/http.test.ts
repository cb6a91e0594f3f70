import t from 'tap'
import { httpProvision } from '../../lib/provision/http.js'
import { provisionContract } from '../../lib/testing/index.js'
import { address, json, startHttpServer, text } from '../support/http-server.js'
import { body, buildApp } from '../support/build-app.js'
import { keptUrlOf } from '../../lib/common/kept-url.js'
import { silentLog } from '../support/silent-log.js'
import { GOOD, GOOD_URL, node, session, startHttp } from './start-http.js'
import type { HttpProvisionOptions } from '../../types/index.js'

t.test('contract', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  await provisionContract({ test: t.test }, () => ({ provision: httpProvision({ url: server.url, timeout: 5000 }) }))
})

t.test('a wrong option – stops the start with a sentence that names it', async (t) => {
  const url = 'https://provision.example/address'
  const wrong: Array<[options: unknown, message: RegExp]> = [
    [undefined, /"url" option of httpProvision must be/],
    [{ url: 'ftp://provision.example' }, /"url" option/],
    [{ url: 'provision.example/address' }, /"url" option/],
    [{ url: 'https://user:word@provision.example/' }, /"url" option .* without credentials/],
    [{ url: 'https://provision.example/#x' }, /"url" option/],
    [{ url: 'https://{tenantId}.example/' }, /"url" option .* placeholder in the host/],
    [{ url: 'https://provision.example/{tenant}' }, /"url" option .* no placeholder but \{tenantId\}/],
    [{ url, timeout: 0 }, /"timeout" option of httpProvision must be an integer of at least 1/],
    [{ url, timeout: '800' }, /"timeout" option/],
    [{ url, timeout: 1.5 }, /"timeout" option/],
    [{ url, ttl: 0 }, /"ttl" option of httpProvision must be a number above 0/],
    [{ url, ttl: NaN }, /"ttl" option/],
    [{ url, onOutage: 'retry' }, /"onOutage" option of httpProvision must be "stale", "omit" or "fail"/],
    [{ url, pick: 'data.address' }, /"pick" option of httpProvision must be a JSON pointer/],
    [{ url, pick: '/data~2' }, /"pick" option/],
    [{ url, headers: { 'a b': 'x' } }, /"headers" option/],
    [{ url, headers: { a: 'x\r\nb: y' } }, /"headers" option/],
    [{ url, headers: { a: 7 } }, /"headers" option/],
    [{ url, ca: 'no certificate' }, /"ca" option of httpProvision must be certificates in PEM/],
    [{ url, retries: 3 }, /"retries" is not an option of httpProvision/]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => httpProvision(options as HttpProvisionOptions), { name: 'TypeError', message }, JSON.stringify(options))
  }
})

t.test('an option given as undefined – counts as omitted, and the caller’s object is not changed', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const options = Object.freeze({ url: server.url, timeout: undefined, ttl: undefined, headers: Object.freeze({}) })
  t.equal(await startHttp(t, options).ask(), GOOD_URL)
})

t.test('the session in the URL – is percent-encoded, and cannot leave its place', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const url = `${server.url}/tenants/{tenantId}/address?channel={channelId}&user={userId}`
  const provision = httpProvision({ url, timeout: 5000 })
  t.teardown(() => provision.close())
  const signal = AbortSignal.timeout(60_000)
  await provision.externalUrl(node, { tenantId: 'a/b?c#', channelId: 'é&x', userId: "o'neil {tenantId}" }, signal)
  t.equal(server.requests[0]?.url,
    '/tenants/a%2Fb%3Fc%23/address?channel=%C3%A9%26x&user=o%27neil%20%7BtenantId%7D')
  for (const tenantId of ['.', '..', '\ud800']) {
    await t.rejects(provision.externalUrl(node, { ...session, tenantId }, signal), { code: 'FST_COBROWSE_50304' })
  }
  t.equal(server.requests.length, 1, 'a value that leads to another path is not requested')
})

t.test('a request – carries the given headers, asks for no compression, and keeps no cookie', async (t) => {
  const server = await startHttpServer(t, text(JSON.stringify({ data: { address: GOOD } }), 200, { 'set-cookie': 'a=b' }))
  let made = 0
  const url = `${server.url}/{tenantId}`
  const fixed = startHttp(t, { url, timeout: 5000, headers: { Authorization: 'Bearer x', 'Accept-Encoding': 'gzip' } })
  await fixed.ask('a')
  await fixed.ask('b')
  const dynamic = startHttp(t, { url, timeout: 5000, headers: async () => ({ authorization: `key ${++made}` }) })
  await dynamic.ask('a')
  await dynamic.ask('b')
  const asked = server.requests.map(({ headers }) => headers)
  t.strictSame(asked.map(({ authorization }) => authorization), ['Bearer x', 'Bearer x', 'key 1', 'key 2'])
  for (const headers of asked) {
    t.equal(headers['accept-encoding'], 'identity')
    t.equal(headers.cookie, undefined)
  }
})

t.test('a "headers" function – gets session and request, and passes the id and the trace of the request on', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const provision = httpProvision({
    url: `${server.url}/{tenantId}`,
    timeout: 5000,
    headers: ({ userId }, request) => ({
      'x-user': userId, 'x-request-id': request?.id, traceparent: request?.headers.traceparent?.toString()
    })
  })
  const { app, ask } = await buildApp(t, { server: { genReqId: () => 'req-of-test' }, options: { provision } })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  t.equal((await ask({ headers: { traceparent } })).json().retCode, '0')
  await app.cobrowse.connectionInfo({ ...session, tenantId: 't2' }, { ...body, role: 'recorder' })
  const sent = server.requests.map(({ headers }) => [headers['x-user'], headers['x-request-id'], headers.traceparent])
  t.strictSame(sent, [['u1', 'req-of-test', traceparent], ['u1', undefined, undefined]])
})

t.test('a "headers" function that fails – is reported as a failure of access, without its message', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const headers = () => { throw new Error('token abc') }
  const { askInVain, provision } = startHttp(t, { url: server.url, timeout: 5000, headers })
  t.equal(await askInVain(t), 'the "headers" function failed')
  t.match(provision.status(), { state: 'down', reason: 'the "headers" function failed' })
  t.equal(server.requests.length, 0)
})

t.test('"pick" – finds the address in the answer', async (t) => {
  const documents: Array<[pick: HttpProvisionOptions['pick'], answer: unknown]> = [
    ['', GOOD],
    ['/0/a~1b/~0c', [{ 'a/b': { '~c': GOOD } }]],
    ['/data//1', { data: { '': ['x', GOOD] } }],
    [(answer) => (answer as { host: string }).host, { host: GOOD }]
  ]
  for (const [pick, answer] of documents) {
    const server = await startHttpServer(t, json(answer))
    t.equal(await startHttp(t, { url: server.url, timeout: 5000, pick }).ask(), GOOD_URL, String(pick))
  }
  const server = await startHttpServer(t, json({ list: [GOOD] }))
  for (const pick of ['/list', '/list/00', '/list/length', '/list/-', '/toString', '/list/0/length', '/constructor/name']) {
    t.equal(await startHttp(t, { url: server.url, timeout: 5000, pick }).askInVain(t), 'answer has no address', pick)
  }
  const failing = startHttp(t, { url: server.url, timeout: 5000, pick: () => { throw new Error('secret') } })
  t.equal(await failing.askInVain(t), 'the "pick" function failed')
})

t.test('an address that was answered – is kept for the gateway, until the adapter closes', async (t) => {
  const { url } = await startHttpServer(t, address(GOOD))
  const provision = httpProvision({ url, timeout: 5000 })
  t.equal(keptUrlOf(provision, node, session), undefined, 'before the first answer')
  t.equal(await provision.externalUrl(node, session, AbortSignal.timeout(60_000)), GOOD_URL)
  t.equal(keptUrlOf(provision, node, session), GOOD_URL)
  const replaced = { ...provision, externalUrl: async () => null }
  t.equal(keptUrlOf(replaced, node, session), undefined, 'a host replaced the method')
  provision.start({ log: silentLog, onState () {} })
  await provision.close()
  t.equal(keptUrlOf(provision, node, session), undefined, 'closed')
})
