import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import WebSocket from 'ws'
import { redisRegistry } from '../../lib/index.js'
import { issuerWith } from '../support/issuer.js'
import { readBlocks, ROOT } from '../support/doc-blocks.js'
import { connect, patient, skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Role } from '../../types/index.js'

const KEY = 'a key of the operator, long enough'
const issue = issuerWith({ keys: [{ id: '2026-11', secret: KEY }] })

/** Starts the server of docs/relay-nodes.md unchanged except for its address. */
async function startServer (t: Test, redisUrl: string, port: number) {
  const { code } = readBlocks('docs/relay-nodes.md').find(({ code }) => code.includes('new WebSocketServer(')) ?? {}
  const program = code?.replace("'wss://10.1.2.3:8443/", `'ws://127.0.0.1:${port}/`).replace('port: 8443', `port: ${port}`)
  t.not(program, code, 'the address of the example is replaced')
  // The file lies inside the project, so that it finds the package by its own name.
  const folder = `${ROOT}.tap/documented-server`
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/server.mjs`, String(program))
  const { NODE_OPTIONS, ...env } = process.env
  const child = spawn(process.execPath, [`${folder}/server.mjs`], {
    env: { ...env, REDIS_URL: redisUrl, COBROWSE_KEY: KEY }, stdio: ['ignore', 'inherit', 'pipe']
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return { child, exited: once(child, 'exit'), complaint: text(child.stderr) }
}

async function accepts (port: number): Promise<boolean> {
  const socket = connectTcp(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

t.test('the documented server – early messages, rejections and SIGTERM – behaves as a relay must', {
  skip: withoutRedis
}, async (t) => {
  const redis = await startRedis(t)
  const client = connect(t, redis.port)
  await skipSettling(client)
  const registry = patient(redisRegistry({ redis: client }))
  t.teardown(async () => await registry.close())
  const port = await findFreePort()
  const { child, exited } = await startServer(t, redis.url, port)
  await until(async () => await client.hlen('{cobrowse}:nodes') === 1, 'the node registers')
  t.ok(await accepts(port), 'the server listens before it registers')

  async function open (room: string, role: Role, signature?: string) {
    const { node, issuedAt } = await registry.assign({ tenant: 't', room })
    signature ??= issue({ tenant: 't', room, user: role, name: 'U', role, node, issuedAt })
    const socket = new WebSocket(node.wssUrl, ['cobrowse.v1', signature])
    t.teardown(() => socket.terminate())
    const heard: string[] = []
    socket.on('message', (data) => heard.push(String(data)))
    return { socket, heard, signature, closed: once(socket, 'close').then((end) => end.map(String)) }
  }
  const rooms = Array.from({ length: 20 }, (_, at) => `room-${at}`)
  const agents = await Promise.all(rooms.map(async (room) => await open(room, 'replayer')))
  await until(async () => {
    const keys = await client.keys('{cobrowse}:room:*')
    return keys.length === rooms.length && (await client.mget(keys)).every((binding) => binding?.includes('|claimed|'))
  }, 'seats of all agents')
  const customers = await Promise.all(rooms.map(async (room) => {
    const customer = await open(room, 'recorder')
    // The page sends as docs/client.md says.
    customer.socket.on('open', () => customer.socket.send(`all of ${room}`))
    return customer
  }))
  for (const [at, agent] of agents.entries()) {
    await until(() => agent.heard.length > 0, `the first message in ${String(rooms[at])}`)
    t.strictSame(agent.heard, [`all of ${String(rooms[at])}`])
  }

  t.equal(customers[0]?.socket.protocol, 'cobrowse.v1')
  t.equal((await (await open('room-0', 'recorder', 'forged')).closed)[0], '4401')
  t.equal((await (await open('room-0', 'recorder', customers[0]?.signature)).closed)[0], '4408')

  child.kill('SIGTERM')
  for (const { socket } of [...agents, ...customers]) socket.close()
  t.strictSame(await exited, [0, null], 'the process ends with its last client, long before the deadline')
  t.equal(await client.hlen('{cobrowse}:nodes'), 0, 'the node has left the registry')
})

t.test('the documented server – port taken – ends without having registered', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  const holder = createServer().listen(0)
  t.teardown(() => holder.close())
  await once(holder, 'listening')
  const { exited, complaint } = await startServer(t, redis.url, (holder.address() as AddressInfo).port)
  t.strictSame(await exited, [1, null])
  t.match(await complaint, /EADDRINUSE/)
  t.equal(await connect(t, redis.port).exists('{cobrowse}:nodes'), 0, 'no browser can be sent to the node')
})
