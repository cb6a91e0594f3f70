import { Agent, request } from 'node:https'
import { PATH } from '../support/build-app.js'
import { startExample } from '../examples/start-example.js'
import { signIn } from '../demo/demo-client.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis } from '../support/redis-server.js'
import { startDemo } from '../support/start-demo.js'
import { startBalancer } from './balancer.js'
import type { IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'
import type { Balancer } from './balancer.js'
import type { Example } from '../examples/start-example.js'
import type { RunningDemo } from '../support/start-demo.js'

const KEY = 'a key of the operator, long enough'
/** The idle time-out of a WebSocket at the balancer in these tests, and the pings of the nodes. */
export const IDLE_MS = 3000
const PING_MS = 1000

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface AskOptions {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: object
  /** A cookie beside the token. */
  cookie?: string
  /**
   * Address of the caller, within 127.0.0.0/8, whose connections are kept. By default a new one for each request, since
   * addresses are limited.
   */
  from?: string
}

export interface Deployment {
  /** `https://` address of the balancer. */
  origin: string
  port: number
  redisUrl: string
  gateways: RunningDemo[]
  relays: Example[]
  startGateway (index: number): Promise<void>
  startRelay (index: number): Promise<void>
  /** Makes the one live token of a user, at the first gateway. */
  issueToken (userId: string): Promise<string>
  /** Sends a request through the balancer. By default the user u1 asks for a room. */
  ask (options?: AskOptions): Promise<Answer>
}

/** Starts a balancer with its file of docs/deploy, two gateways, two relay nodes and their Redis. */
export async function startDeployment (t: Test, balancer: Balancer): Promise<Deployment> {
  const redis = await startRedis(t)
  await skipSettling(connect(t, redis.port))
  const ports = { tls: await findFreePort(), gateways: [0, 0], relays: [0, 0] }
  for (const list of [ports.gateways, ports.relays]) {
    for (const index of list.keys()) list[index] = await findFreePort()
  }
  const [gateway1, gateway2] = ports.gateways
  const [relay1, relay2] = ports.relays
  const publicUrl = `wss://localhost:${ports.tls}`
  const gateways: RunningDemo[] = []
  const relays: Example[] = []
  const shared = { REDIS_URL: redis.url, COBROWSE_KEY: KEY }

  async function startGateway (index: number): Promise<void> {
    gateways[index] = await startDemo(t, {
      ...shared,
      PORT: String(ports.gateways[index]),
      COBROWSE_KEY_ID: 'sample',
      NODES: '0',
      PUBLIC_URL: publicUrl,
      TRUST_PROXY: '127.0.0.1',
      SHUTDOWN_DELAY: '3000',
      LOG_LEVEL: 'info'
    })
  }

  async function startRelay (index: number): Promise<void> {
    relays[index] = await startExample(t, 'relay-ws/server.js', /is registered/, {
      ...shared,
      PORT: String(ports.relays[index]),
      NODE_ID: `node-${index + 1}`,
      WSS_URL: `${publicUrl}/ws/cobrowse/${index + 1}`,
      PING_INTERVAL: String(PING_MS),
      DRAIN_DEADLINE: '0'
    })
  }

  for (const index of [0, 1]) {
    await startGateway(index)
    await startRelay(index)
  }
  const ca = await startBalancer(t, balancer, {
    LISTEN: `127.0.0.1:${ports.tls}`,
    GATEWAY_1: `127.0.0.1:${gateway1}`,
    GATEWAY_2: `127.0.0.1:${gateway2}`,
    RELAY_1: `127.0.0.1:${relay1}`,
    RELAY_2: `127.0.0.1:${relay2}`
  }, (text) => text.replace(/(proxy_(?:read|send)_timeout|timeout tunnel) 60s/g, `$1 ${IDLE_MS / 1000}s`))

  const issueToken = async (userId: string) => await signIn({ base: `http://127.0.0.1:${gateway1}` }, userId)
  const token = await issueToken('u1')
  const kept = new Agent({ keepAlive: true })
  t.teardown(() => kept.destroy())
  let callers = 0
  const newAddress = () => `127.1.${++callers >> 8}.${callers & 255}`

  async function ask (options: AskOptions = {}): Promise<Answer> {
    const body = options.body ?? { roomId: 'room-1', userId: 'u1', userName: 'Li Na', role: 'recorder' }
    return await new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        servername: 'localhost',
        port: ports.tls,
        path: options.path ?? PATH,
        method: options.method ?? 'POST',
        localAddress: options.from ?? newAddress(),
        ca,
        agent: options.from === undefined ? false : kept,
        headers: {
          host: `localhost:${ports.tls}`,
          'content-type': 'application/json',
          cookie: `ccmessaging-token=${token}; ${options.cookie ?? ''}`,
          ...options.headers
        }
      }, async (response) => {
        try {
          let text = ''
          for await (const chunk of response.setEncoding('utf8')) text += chunk
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
        } catch (error) {
          reject(error)
        }
      })
      sent.once('error', reject)
      sent.end(options.method === 'GET' ? undefined : JSON.stringify(body))
    })
  }

  return {
    origin: `https://localhost:${ports.tls}`,
    port: ports.tls,
    redisUrl: redis.url,
    gateways,
    relays,
    startGateway,
    startRelay,
    issueToken,
    ask
  }
}
