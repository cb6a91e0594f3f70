import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import WebSocket from 'ws'
import { readRetryAfter } from '../../lib/client/ask.js'
import { eventually, until } from '../support/until.js'
import { named, refused, silent, startScriptedSite } from './scripted-site.js'
import { startClient } from './start-site.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { ConnectOptions } from '../../lib/client/index.js'
import type { ScriptedSite } from './scripted-site.js'

const ASKED = { token: 't', roomId: 'r', userId: 'u', userName: 'U', role: 'recorder', minWait: 10, maxWait: 50 } as const
const clientOf = (t: Test, { base }: Pick<ScriptedSite, 'base'>, change: Partial<ConnectOptions> = {}) =>
  startClient(t, { baseUrl: base, ...ASKED, ...change })
const hello = (socket: WebSocket) => socket.send('hello')

t.test('a gateway that hangs or is unreachable – costs no more than the timeout', async (t) => {
  const site = await startScriptedSite(t, [silent, (_request, response) => response.write('{'), named()], hello)
  const client = clientOf(t, site, { timeout: 1000 })
  await until(() => client.messages.length > 0)
  t.strictSame(client.history, ['retry unreachable', 'retry unreachable', 'open'], 'first no answer, then half of one')

  const nobody = clientOf(t, { base: 'http://127.0.0.1:2' })
  await until(() => nobody.history.length > 1)
  t.equal(nobody.history[0], 'retry unreachable')
})

t.test('a node whose handshake hangs – is given up, and its other address tried at once', async (t) => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1')
  t.teardown(() => mute.close())
  await new Promise((resolve) => mute.once('listening', resolve))
  const wssUrlOut = `ws://127.0.0.1:${(mute.address() as AddressInfo).port}`
  const site = await startScriptedSite(t, [named({ wssUrlOut })], hello)
  const client = clientOf(t, site, { timeout: 1000 })
  await until(() => client.messages.length > 0)
  t.strictSame(client.history, ['retry unopened', 'open'])
  t.strictSame(client.waits, [0])
})

t.test('two addresses of a node – neither can be opened – the client waits and starts with the preferred one', async (t) => {
  const site = await startScriptedSite(t, [
    named({ wssUrl: 'ws://127.0.0.1:2/', wssUrlOut: 'ws://127.0.0.1:2/out', signature: 's1' }),
    named({ wssUrl: 'ws://127.0.0.1:2/', wssUrlOut: 'ws://127.0.0.1:2/out', signature: 's2' }),
    named({ wssUrl: 'ws://127.0.0.1:2/' })
  ], hello)
  const client = clientOf(t, site)
  await until(() => client.messages.length > 0)
  t.equal(client.waits[0], 0)
  t.ok(Number(client.waits[1]) > 0)
  t.equal(client.waits.length, 2)
  t.match(site.bodies, [{ unopened: undefined }, { unopened: undefined }, { unopened: 's2' }], 'told once both had failed')
})

t.test('malformed answers – from the gateway – are told apart', async (t) => {
  const site = await startScriptedSite(t, [
    refused(502, '<h1>Bad gateway</h1>'), refused(200, { retCode: '7' }), refused(200, 'null'), named({ signature: 7 }),
    refused(503, { retCode: '50303', retMsg: 'settling' }, { 'retry-after': '0' }), refused(500, { retCode: '40301' }),
    named()
  ], hello)
  const client = clientOf(t, site)
  await until(() => client.messages.length > 0)
  t.strictSame(client.history, [
    ...Array(4).fill('retry bad-answer'), 'retry 50303', 'retry bad-answer', 'open'
  ])
})

t.test('a 404 or 403 of a load balancer – during a call – is retried, as during a deployment', async (t) => {
  const ofBalancer = Array.from({ length: 6 }, (_, at) => refused(at % 2 === 0 ? 404 : 403, '<h1>no such backend</h1>'))
  let opened = 0
  const site = await startScriptedSite(t, [named(), ...ofBalancer, named()], (socket) => {
    hello(socket)
    if (opened++ === 0) setTimeout(() => socket.close(1012), 50)
  })
  const client = clientOf(t, site)
  await eventually(() => client.messages.length, 2, 'messages')
  t.strictSame(client.history, ['open', 'retry lost', ...Array(6).fill('retry bad-answer'), 'open'])
})

t.test('a 404 of a load balancer – repeated – ends the call', async (t) => {
  const site = await startScriptedSite(t, [named(), refused(404, 'no such backend')], (socket) => socket.close(1012))
  const client = clientOf(t, site)
  t.match(await client.connection.closed, { code: 'bad-answer', status: 404 })
  t.strictSame(client.history, ['open', 'retry lost', ...Array(9).fill('retry bad-answer'), 'closed bad-answer'])
})

t.test('a WebSocket – error without close – is given up at once', async (t) => {
  const site = await startScriptedSite(t, [named()], hello)
  const client = clientOf(t, site, {
    timeout: 600_000,
    // A browser whose policy forbids the address reports only the error event.
    WebSocket: class {
      binaryType = 'blob'
      readyState = 3
      bufferedAmount = 0
      addEventListener (type: string, listener: (event: never) => void) {
        // Error listeners read nothing from the event.
        if (type === 'error') queueMicrotask(() => listener(undefined as never))
      }

      send () {}
      close () {}
    }
  })
  await eventually(() => client.history.slice(0, 2), ['retry unopened', 'retry unopened'])
})

t.test('a platform without fetch or AbortController – connect – throws an error that names it', async (t) => {
  for (const name of ['fetch', 'AbortController']) {
    const { base } = await startScriptedSite(t, [named()])
    t.test(name, async (t) => {
      t.intercept(globalThis, name as 'fetch', { value: undefined })
      const message = `connect needs ${name}, which this browser does not have`
      t.throws(() => clientOf(t, { base }), { name: 'TypeError', message })
    })
  }
})

t.test('a close code – each one of a node – has its documented effect', async (t) => {
  const once = async (...codes: number[]) => {
    const site = await startScriptedSite(t, [named()], (socket) => {
      const code = codes.shift()
      if (code === undefined) hello(socket)
      else socket.close(code)
    })
    const client = clientOf(t, site)
    await until(() => client.messages.length > 0 || client.connection.state === 'closed')
    return client.history.filter((it) => it !== 'open')
  }
  t.strictSame(await once(4401), ['retry 4401'])
  t.strictSame(await once(4401, 4408), ['retry 4401', 'closed 4408'])
  t.strictSame(await once(4403), ['closed 4403'])
  t.strictSame(await once(4410, 4410), ['retry 4410', 'retry 4410'])
  t.strictSame(await once(4429, 4503, 1011, 1001, 1009), [
    'retry 4429', 'retry 4503', 'retry lost', 'retry lost', 'retry lost'
  ])
})

t.test('a connection attempt – each one – sends a new signature, and keeps it out of the address', async (t) => {
  let count = 0
  const offered: Array<string | undefined> = []
  const site = await startScriptedSite(t, [(...answer) => named({ signature: `s${++count}` })(...answer)], (socket) => {
    hello(socket)
    if (count < 3) socket.close(1011)
  })
  const client = clientOf(t, site, {
    WebSocket: class extends WebSocket {
      constructor (url: string, protocols: string[]) {
        super(url, protocols)
        offered.push(url.includes('s1') ? url : protocols.join())
      }
    }
  })
  await eventually(() => client.messages.length, 3)
  t.strictSame(offered, ['cobrowse.v1,s1', 'cobrowse.v1,s2', 'cobrowse.v1,s3'])
})

t.test('a silent node – idle timeout over – is left', async (t) => {
  let visits = 0
  const site = await startScriptedSite(t, [named()], (socket) => {
    visits++
    const speak = setInterval(() => socket.send('here'), 30)
    socket.on('close', () => clearInterval(speak))
    if (visits === 1) setTimeout(() => clearInterval(speak), 700)
  })
  const client = clientOf(t, site, { idleTimeout: 500 })
  await eventually(() => client.history.length, 3)
  t.strictSame(client.history, ['open', 'retry lost', 'open'], 'messages keep the connection open, silence ends it')
  t.ok(client.messages.length > 10)
})

t.test('a Retry-After header – seconds or a date – is read, and limited to an hour', async (t) => {
  t.equal(readRetryAfter('2'), 2000)
  t.equal(readRetryAfter('999999999'), 3_600_000)
  const inAMinute = Number(readRetryAfter(new Date(Date.now() + 60_000).toUTCString()))
  t.ok(inAMinute > 55_000 && inAMinute <= 60_000)
  for (const value of [null, '', 'soon', '-1', 'Wed, 21 Oct 2015 07:28:00 GMT']) {
    t.equal(readRetryAfter(value), undefined, String(value))
  }
})

t.test('an error thrown by a listener – is uncaught in the page, and affects nothing else', async (t) => {
  const site = await startScriptedSite(t, [named()], hello)
  const script = `
    import { connect } from 'fastify-cobrowse/client'
    import WebSocket from 'ws'
    process.on('uncaughtException', ({ message }) => console.log(message))
    const options = { baseUrl: process.argv[1], roomId: 'r', userId: 'u', userName: 'U', role: 'recorder', WebSocket }
    const connection = connect({ ...options, onMessage () { throw new Error('of the listener') } })
    const remove = connection.on('message', () => console.log('never'))
    connection.on('message', (message) => { console.log(message); connection.close() })
    remove()
    console.log(await connection.closed)`
  // The loader of tap slows a child process down.
  const { NODE_OPTIONS, ...env } = process.env
  const args = ['--input-type=module', '-e', script, site.base]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  t.strictSame(stdout.trim().split('\n').sort(), ['hello', 'of the listener', 'undefined'])
})
