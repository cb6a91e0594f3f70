import { connect } from 'node:tls'
import t from 'tap'
import { runCli } from '../cli/run-cli.js'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { elapse } from '../support/elapse.js'
import { withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { haproxy, nginx } from './balancer.js'
import { IDLE_MS, startDeployment } from './deployment.js'
import { startSession } from './session-page.js'
import type { Answer, Deployment } from './deployment.js'

const BASE = '/service-cloud/rest/webadapter/v1/connectionInfo'
const CALLERS = 4
/** Bytes of a cookie that the gateway sees, with its answer. With the last one, the head almost fills 16 KiB. */
const COOKIES = [[5500, '0'], [12_000, '40001'], [15_300, '40001']] as const

const codeOf = ({ status, text }: Answer): string => {
  const isJson = text.startsWith('{')
  return isJson ? JSON.parse(text).retCode : `status ${status}`
}

t.teardown(closeChromium)

for (const balancer of [nginx, haproxy]) {
  const { name, skip } = balancer

  t.test(`a session through ${name} – a gateway, then each relay node ends – goes on without a click`, {
    skip: skip || withoutRedis || withoutChromium
  }, async (t) => {
    const deployment = await startDeployment(t, balancer)
    const { gateways, relays, startRelay } = deployment
    const session = await startSession(t, deployment, 'call-1')
    const { customer, agent, type, nodesOf } = session
    const holder = () => Number(nodesOf(customer).at(-1)?.at(-1)) - 1
    await type('from the customer')
    t.equal(nodesOf(customer).length, 1, 'the first address leads through the balancer')

    await elapse(2 * IDLE_MS, 'a quiet time, longer than the idle time-out of the balancer')
    await type('after a quiet time')
    t.strictSame([nodesOf(customer).length, nodesOf(agent).length], [1, 1], 'pings keep both WebSockets open')

    t.equal(await gateways[0]?.stop(), 0)
    await type('after the end of a gateway')
    t.equal(nodesOf(customer).length, 1, 'a WebSocket does not depend on a gateway')

    const left = holder()
    t.equal(await relays[left]?.stop(), 0)
    await type('after the drain of a node')
    t.not(holder(), left)

    await startRelay(left)
    await relays[1 - left]?.stop('SIGKILL')
    await type('after the crash of a node')
    t.equal(holder(), left)
    t.equal(nodesOf(agent).at(-1), nodesOf(customer).at(-1))

    await startRelay(1 - left)
    const operate = async (...args: string[]) => await runCli(args, { REDIS_URL: deployment.redisUrl })
    const why = ['--reason', 'new kernel', '--author', 'anna']
    t.match(await operate('drain', `node-${left + 1}`, '--deadline', '0s', '--wait', ...why), { code: 0 })
    await type('after a drain by the command')
    t.equal(holder(), 1 - left)
    t.match(await operate('undrain', `node-${left + 1}`), { code: 0 })
    t.match(await operate('move', 'demo', 'call-1', '--to', `node-${left + 1}`, ...why), { code: 0 })
    await type('after a move by the command')
    t.equal(holder(), left)
    t.equal(nodesOf(agent).at(-1), nodesOf(customer).at(-1))
  })

  t.test(`requests through ${name} – while gateways leave, crash and return – are all answered`, {
    skip: skip || withoutRedis
  }, async (t) => {
    const deployment = await startDeployment(t, balancer)
    const { gateways, startGateway } = deployment
    const load = startLoad(deployment)
    await load.answers(50)
    t.equal(await gateways[0]?.stop(), 0)
    await load.answers(50)
    await startGateway(0)
    // HAProxy takes a gateway back after two checks.
    const served = () => gateways[0]?.output().split('getConnectionInfo').length ?? 0
    await until(() => served() > 20, 'the gateway to get requests again', 60_000)
    await gateways[1]?.stop('SIGKILL')
    await load.answers(50)
    t.strictSame(await load.stop(), ['0'])
  })

  t.test(`the edge of ${name} – callers of all kinds – keeps them in bounds`, {
    skip: skip || withoutRedis
  }, async (t) => {
    const deployment = await startDeployment(t, balancer)
    const { ask, gateways, port } = deployment

    t.test('TLS – below 1.2 – is refused', async (t) => {
      t.equal(await handshake(port, 'TLSv1.2'), 'TLSv1.2')
      t.equal(await handshake(port, 'TLSv1.3'), 'TLSv1.3')
      t.match(await handshake(port, 'TLSv1.1'), /alert protocol version/)
    })

    t.test('the address of the caller – reaches the log, and an invented one does not', async (t) => {
      const headers = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-host': 'evil.example' }
      t.equal(codeOf(await ask({ headers, from: '127.0.0.9' })), '0')
      const logged = () => gateways.map(({ output }) => output()).join('')
      await until(() => logged().includes('"remoteAddress":"127.0.0.9"'), 'the address in the log')
      t.notMatch(logged(), /203\.0\.113\.7/)
    })

    t.test('the origin of the page – without Sec-Fetch-Site – is compared with the host at the balancer', async (t) => {
      t.equal(codeOf(await ask({ headers: { origin: deployment.origin } })), '0')
      t.equal(codeOf(await ask({ headers: { origin: 'https://evil.example' } })), '40302')
    })

    t.test('cookies – large ones – are answered by the gateway as long as Node.js takes them', async (t) => {
      for (const [bytes, code] of COOKIES) {
        t.equal(codeOf(await ask({ cookie: `other=${'x'.repeat(bytes)}` })), code, `${bytes} bytes`)
      }
      t.match(await ask({ cookie: `other=${'x'.repeat(40_000)}` }), { status: 400 }, 'beyond that, the balancer refuses')
    })

    t.test('a Java HttpClient – that asks for h2c – is answered', async (t) => {
      const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' }
      t.equal(codeOf(await ask({ headers })), '0')
    })

    t.test('the end of a call – and a body that is too large – are answered by the gateway', async (t) => {
      t.equal(codeOf(await ask({ path: `${BASE}/releaseConnection`, body: { callId: 'room-1' } })), '0')
      t.equal(codeOf(await ask({ body: { roomId: 'x'.repeat(8000) } })), '41301')
    })

    t.test('other paths – are not there', async (t) => {
      for (const path of ['/', '/readyz', '/metrics', '/docs', '/demo/session', '/ws/cobrowse/3', `${BASE}/../../x`]) {
        t.equal((await ask({ method: 'GET', path })).status, 404, path)
      }
    })

    t.test('an address that asks too often – is refused in the form of the gateway, and others are not', async (t) => {
      let answer: Answer | undefined
      await until(async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, async () => await ask({ from: '127.0.0.3' })))
        answer = answers.find(({ status }) => status === 429)
        return answer !== undefined
      }, 'the answer 429', 60_000)
      t.match(answer, { headers: { 'retry-after': '1', 'content-type': 'application/json; charset=utf-8' } })
      t.equal(answer && codeOf(answer), '42901')
      t.equal(codeOf(await ask()), '0')
    })

    t.test('no gateway – is answered in the form of the gateway', async (t) => {
      await Promise.all(gateways.map(async (gateway) => await gateway.stop('SIGKILL')))
      const answer = await ask()
      t.match(answer, { status: 503, headers: { 'retry-after': '1', 'content-type': 'application/json; charset=utf-8' } })
      t.equal(codeOf(answer), '50306')
    })
  })
}

/** Asks without a pause, from several callers, until it is stopped. */
function startLoad ({ ask }: Deployment) {
  const codes: string[] = []
  const end = new AbortController()
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!end.signal.aborted) codes.push(codeOf(await ask()))
  })
  return {
    /** Waits for so many more answers. */
    async answers (count: number): Promise<void> {
      const enough = codes.length + count
      await until(() => codes.length >= enough, `${count} answers`, 60_000)
    },
    /** @returns the distinct codes of all answers */
    async stop (): Promise<string[]> {
      end.abort()
      await Promise.all(callers)
      return [...new Set(codes)]
    }
  }
}

/** @returns the protocol, or the message of the error */
async function handshake (port: number, version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      minVersion: version,
      maxVersion: version,
      // OpenSSL itself refuses older versions otherwise.
      ciphers: 'DEFAULT:@SECLEVEL=0',
      rejectUnauthorized: false
    }, () => {
      resolve(socket.getProtocol() ?? 'none')
      socket.destroy()
    })
    socket.once('error', (error) => resolve(error.message))
  })
}
