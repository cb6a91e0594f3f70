import { connect } from 'node:net'
import t from 'tap'
import { memoryRegistry, memorySessions } from '../../lib/index.js'
import { body, buildApp, NODES, PATH, session } from '../support/build-app.js'
import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'

t.test('an application that closes – rejects new requests, completes pending ones, then closes the adapters', async (t) => {
  const order: string[] = []
  const registry = memoryRegistry({ nodes: NODES })
  const { app, token } = await buildApp(t, {
    server: { return503OnClosing: false },
    options: {
      registry: { ...registry, close: async () => { order.push('adapter closed') } },
      async authorize () {
        await elapse(300, 'a slow request')
        order.push('request answered')
        return true
      }
    },
    after (app) {
      // Delays the close, so that another request can arrive.
      app.addHook('preClose', async () => await elapse(150, 'time for one more request'))
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString() })
  const payload = JSON.stringify(body)
  const send = () => socket.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
    `Cookie: ccmessaging-token=${token}\r\nContent-Length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`)
  send()
  await until(() => app.cobrowse.status().inFlight > 0, 'the request in flight')
  const closed = app.close()
  await until(() => app.cobrowse.status().answers === 'none', 'the end of the ready delay')
  send()
  await closed
  await until(() => socket.closed, 'the end of the connection')
  t.match(text, /"retCode":"0"/, 'the pending request is answered')
  t.match(text, /503 Service Unavailable[^]*"retCode":"50307"/, 'the new request is rejected')
  t.match(text, /retry-after: 1/)
  t.strictSame(order, ['request answered', 'adapter closed'])
})

t.test('an application that closes with a readyDelay – is not ready at once, and answers until the delay is over', async (t) => {
  const { app, token } = await buildApp(t, {
    server: { return503OnClosing: false }, options: { readyDelay: 1500 }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${PATH}`
  const ask = async () => {
    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', cookie: `ccmessaging-token=${token}`, connection: 'close' }
    })
    return (await response.json() as { retCode: string }).retCode
  }
  const begun = performance.now()
  const closed = app.close()
  await until(() => !app.cobrowse.status().ready, 'the close to begin')
  t.equal(await ask(), '0', 'a request after the beginning of the close')
  await closed
  t.ok(performance.now() - begun >= 1450, 'the close takes the delay')
  await t.rejects(ask(), 'the server is gone')
})

t.test('injected requests – complete before the adapters close', async (t) => {
  const seen: string[] = []
  const { app, ask } = await buildApp(t, {
    options: {
      sessions: { ...memorySessions(), find: async () => session, close: async () => { seen.push('closed') } },
      async authorize () {
        await elapse(100, 'a slow request')
        seen.push('answered')
        return true
      }
    }
  })
  const sent = ask()
  await until(() => app.cobrowse.status().inFlight > 0, 'the request in flight')
  await app.close()
  await sent
  t.strictSame(seen, ['answered', 'closed'])
})

t.test('a half-sent request – does not delay the close beyond its budget', async (t) => {
  let hasBegun = false
  const { app } = await buildApp(t, {
    options: { timeout: 500, routeOptions: { onRequest: async () => { hasBegun = true } } }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`)
  await until(() => hasBegun, 'the head of the request')
  t.equal(app.cobrowse.status().inFlight, 0, 'an incomplete body takes no place')
  const startedAt = performance.now()
  await app.close()
  t.ok(performance.now() - startedAt < 5000)
})
