import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import t from 'tap'
import { createFrameReader } from '../../../lib/zookeeper-client/frames.js'
import { elapse } from '../../support/elapse.js'
import { until } from '../../support/until.js'
import { newSettings, NOISE_MS, observe, startGateway } from '../../support/zookeeper-app.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const NODES = 300
const CHANGES = 40
/** Ten changes a second, in bursts. */
const BURST = 10
const BURST_MS = 1000
const CHANGE_MS = 8
const ASKERS = 4
/** The registry was late, or this process itself. */
const BUSY = ['50302', '50306']
/** Minimum time between two readings, as in the registry, less the inaccuracy of timers and network. */
const LEAST_MS = 80

const GET_DATA = 4
const LISTS = [8, 12]

interface Reading {
  startedAt: number
  endedAt: number
}

/** Observes on the wire how often a client reads the nodes. */
async function tapLine (t: Test, port: number, nodes: string) {
  const lists: Reading[] = []
  let records = 0
  const server = createServer((client) => {
    const upstream = createConnection(port, '127.0.0.1')
    const [requests, answers] = [createFrameReader(), createFrameReader()]
    const waiting = new Map<number, Reading>()
    let isFirst = { request: true, answer: true }
    client.on('data', (bytes) => {
      for (const frame of requests(bytes)) {
        if (!isFirst.request) note(frame)
        isFirst = { ...isFirst, request: false }
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      for (const frame of answers(bytes)) {
        const reading = isFirst.answer ? undefined : waiting.get(frame.readInt32BE(4))
        if (reading !== undefined) reading.endedAt = performance.now()
        isFirst = { ...isFirst, answer: false }
      }
      client.write(bytes)
    })
    for (const socket of [client, upstream]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    function note (frame: Buffer): void {
      const [xid, type] = [frame.readInt32BE(4), frame.readInt32BE(8)]
      if (![GET_DATA, ...LISTS].includes(type)) return
      const path = frame.subarray(16, 16 + frame.readInt32BE(12)).toString()
      if (type === GET_DATA && path.startsWith(`${nodes}/`)) records++
      if (type === GET_DATA || path !== nodes) return
      const reading = { startedAt: performance.now(), endedAt: Infinity }
      waiting.set(xid, reading)
      lists.push(reading)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  // A listening server has a port.
  const address = server.address() as AddressInfo
  return {
    hosts: `127.0.0.1:${address.port}`,
    lists,
    records: () => records
  }
}

t.test(`${NODES} nodes, ten changes a second – are read rarely, and rooms are assigned`, {
  skip: withoutZooKeeper
}, async (t) => {
  const server = await startZooKeeper(t)
  const settings = newSettings()
  const { client, layout, write } = await observe(t, server.hosts, settings.root)
  const line = await tapLine(t, server.port, layout.nodes)
  const gateway = await startGateway(t, line.hosts, settings)
  const textOf = (at: number, draining = false) => JSON.stringify({ wssUrl: `wss://n${at}.example/ws`, draining })
  await until(async () => await client.exists(layout.nodes))
  for (let at = 0; at < NODES; at += 50) {
    const some = Array.from({ length: 50 }, (_value, next) => at + next)
    await Promise.all(some.map(async (number) => await write(`n${number}`, textOf(number))))
  }
  await until(() => gateway.registry.nodes().length === NODES)

  const before = { lists: line.lists.length, records: line.records() }
  const over = new AbortController()
  const answers: Array<{ kind: string, ms: number }> = []
  const asking = Promise.all(Array.from({ length: ASKERS }, async (_value, asker) => {
    for (let count = 0; !over.signal.aborted; count++) {
      answers.push(await gateway.ask(`room-${asker}-${count}`))
      await elapse(10, 'the pace of one caller')
    }
  }))
  const startedAt = performance.now()
  for (let change = 0; change < CHANGES; change++) {
    const at = change * 7 % NODES
    // Each burst changes one node's record, removes one node and adds one.
    if (change % 3 === 0) await write(`n${at}`, textOf(at, true))
    else if (change % 3 === 1) await client.remove(layout.nodePath(`n${at}|x`), { ms: 5000 })
    else await write(`more-${change}`, textOf(NODES + change))
    const next = change + 1
    const dueAt = startedAt + Math.floor(next / BURST) * BURST_MS + next % BURST * CHANGE_MS
    await elapse(Math.max(0, dueAt - performance.now()), 'the next change is due')
  }
  over.abort()
  await asking

  const lists = line.lists.slice(before.lists)
  const records = line.records() - before.records
  const gaps = lists.slice(1).map(({ startedAt }, at) => startedAt - (lists[at]?.startedAt ?? 0))
  t.ok(lists.length >= CHANGES / BURST, 'each burst is noticed')
  t.ok(Math.min(...gaps) >= LEAST_MS, `at least ${Math.round(Math.min(...gaps))} ms between two readings`)
  t.strictSame(lists.filter(({ startedAt }, at) => startedAt < (lists[at - 1]?.endedAt ?? 0)), [], 'one at a time')
  t.ok(records >= CHANGES / 3 && records < NODES, `${records} records were read, and not all of them each time`)
  const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  const p99 = Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0)
  const good = answers.filter(({ kind }) => kind === 'ok').length / answers.length
  t.comment(`${answers.length} answers, ${(good * 100).toFixed(2)} % normal, 99 of 100 within ${p99} ms; ` +
    `${lists.length} readings of the list`)
  t.ok(good > 0, 'rooms are assigned meanwhile: a busy machine exceeds the limit of some calls')
  const refusals = new Set(answers.map(({ kind }) => kind).filter((kind) => kind !== 'ok'))
  t.strictSame([...refusals].filter((kind) => !BUSY.includes(kind)), [])
  await until(() => gateway.registry.nodes().some(({ id }) => id === `more-${CHANGES - 2}`) &&
    gateway.registry.nodes().every(({ id }) => id !== 'n7'), 'the last change in the view', 1000 + NOISE_MS)
})
