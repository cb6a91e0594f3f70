import { connect } from 'node:net'
import t from 'tap'
import { httpProvision, memoryRegistry, memorySessions, staticProvision } from '../../lib/index.js'
import { body, buildApp, NODES, PATH, session } from '../support/build-app.js'
import { elapse } from '../support/elapse.js'
import { startHttpServer } from '../support/http-server.js'
import { pastStalls } from '../support/past-stalls.js'
import { eventually, until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Answer } from '../support/http-server.js'
import type { Registry } from '../../types/index.js'

type Ask = Awaited<ReturnType<typeof buildApp>>['ask']

const never = () => new Promise<never>(() => {})
const hanging: Registry = { ...memoryRegistry(), assign: never }

function block (ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end) { /* simulates a long garbage collection, or a loop of the host */ }
}

/** Each try has to end in time. */
async function askInTime (t: Test, ask: Ask, retCode: string): Promise<void> {
  const response = await (retCode === '50306' ? timed() : pastStalls(timed))
  t.equal(response.json().retCode, retCode)

  async function timed () {
    const startedAt = performance.now()
    const response = await ask()
    t.ok(performance.now() - startedAt < 5000, retCode)
    return response
  }
}

t.test('a request – any dependency hangs, whether or not it heeds its signal – ends within its budget', async (t) => {
  const deaf: Array<[object, string]> = [
    [{ sessions: { ...memorySessions(), find: never } }, '50305'],
    [{ authorize: never }, '50306'],
    [{ registry: hanging }, '50302'],
    [{ provision: { ...staticProvision('x.example'), externalUrl: never } }, '50304']
  ]
  for (const [options, retCode] of deaf) {
    const { ask } = await buildApp(t, { options: { timeout: 500, ...options } })
    await askInTime(t, ask, retCode)
  }
})

t.test('a provision server that never answers, or drips – costs no more than the budget', async (t) => {
  const drip: Answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 20)
    response.once('close', () => clearInterval(timer))
  }
  for (const answer of [() => {}, drip]) {
    const { url } = await startHttpServer(t, answer)
    const { ask } = await buildApp(t, { options: { provision: httpProvision({ url }), timeout: 500 } })
    await askInTime(t, ask, '50304')
  }
})

t.test('a dependency that is late – event loop busy – 50306, and the dependency is asked again at once', async (t) => {
  let isBusy = true
  const workOn = () => {
    block(5)
    if (isBusy) setImmediate(workOn)
  }
  const sessions = memorySessions()
  const token = sessions.issue(session)
  let asked = 0
  const { ask } = await buildApp(t, {
    options: {
      timeout: 500,
      sessions: {
        ...sessions,
        async find (text, signal) {
          asked++
          return isBusy ? await never() : await sessions.find(text, signal)
        }
      }
    }
  })
  workOn()
  const headers = { cookie: `ccmessaging-token=${token}` }
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await ask({ headers })))
  t.strictSame(new Set(answers.map((answer) => answer.json().retCode)), new Set(['50306']))
  t.equal(asked, 20)
  isBusy = false
  t.equal((await ask({ headers })).statusCode, 200, 'the breaker stays closed')
})

t.test('a dependency – after ten failures – is not asked for a while, then asked again', async (t) => {
  let asked = 0
  let broken = true
  const good = memoryRegistry({ nodes: NODES })
  const registry: Registry = {
    ...good,
    async assign (...args) {
      asked++
      if (broken) throw new Error('away')
      return await good.assign(...args)
    }
  }
  const { ask } = await buildApp(t, { options: { registry } })
  for (let count = 0; count < 40; count++) t.equal((await ask()).json().retCode, '50302')
  t.ok(asked < 20, `asked ${asked} times`)
  broken = false
  await eventually(async () => (await ask()).json().retCode, '0', 'an answer of the recovered dependency')
})

t.test('a dependency that answers "no" – repeatedly – does not open its breaker', async (t) => {
  let asked = 0
  const empty = memoryRegistry()
  const registry: Registry = { ...empty, assign: async (...args) => { asked++; return await empty.assign(...args) } }
  const { ask } = await buildApp(t, { options: { registry } })
  for (let count = 0; count < 30; count++) t.equal((await ask()).json().retCode, '50301')
  t.equal(asked, 30)
})

t.test('time spent on the caller’s own body – is not blamed on a dependency', async (t) => {
  const { app, token } = await buildApp(t, { options: { timeout: 1000, registry: hanging } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const payload = JSON.stringify(body)
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n` +
    `Cookie: ccmessaging-token=${token}\r\nContent-Length: ${Buffer.byteLength(payload)}\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString() })
  await elapse(850, 'the body times out')
  socket.write(payload)
  await new Promise((resolve) => socket.on('close', resolve))
  t.match(text, /"retCode":"40801"/)
})

t.test('a caller that goes away – ends the work for its request', async (t) => {
  let aborted: unknown
  const registry: Registry = {
    ...hanging,
    async assign (_room, { signal } = {}) {
      return await new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          aborted = signal.reason
          reject(signal.reason)
        })
      })
    }
  }
  const { app, token } = await buildApp(t, { options: { registry, timeout: 5000 } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const payload = JSON.stringify(body)
  const request = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
    `Cookie: ccmessaging-token=${token}\r\nContent-Length: ${Buffer.byteLength(payload)}\r\n\r\n`
  const socket = connect(port, '127.0.0.1')
  socket.write(request + payload)
  await until(() => app.cobrowse.status().inFlight > 0, 'the request in flight')
  socket.destroy()
  await eventually(() => app.cobrowse.status().inFlight, 0, 'its place is free')
  await until(() => aborted, 'the abort of the work')
  t.match(aborted, { name: /CallerGoneError|DeadlineError/ })
})

t.test('a result older than the budget – is never signed', async (t) => {
  const good = memoryRegistry({ nodes: NODES })
  const registry: Registry = {
    ...good,
    async assign (...args) {
      const assignment = await good.assign(...args)
      block(300)
      return assignment
    }
  }
  const { ask } = await buildApp(t, { options: { registry, timeout: 200 } })
  t.equal((await ask()).json().retCode, '50302')
})
