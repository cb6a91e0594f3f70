// Loads a gateway on loopback from a process of its own: raw sockets, and prebuilt requests.
//
// Closed loop (no rate): every connection asks again once it is answered. Open loop: requests become due at the given
// rate independently of the answers; a request is not sent if all connections are busy. The warm-up is not counted.
import { connect } from 'node:net'

const TICK_MS = 2

const settings = await new Promise((resolve) => process.once('message', resolve))
process.once('disconnect', () => process.exit())
process.send(await load(settings))
process.disconnect()

async function load ({ port, requests, connections, rate, seconds, warmUp = 0 }) {
  const payloads = requests.map((text) => Buffer.from(text, 'latin1'))
  let statuses = {}
  let codes = {}
  let latencies = []
  const idle = []
  const sockets = []
  let next = 0
  let unsent = 0
  let due = 0
  let isOver = false

  function send (socket) {
    socket.askedAt = performance.now()
    socket.write(payloads[next++ % payloads.length])
  }

  function onAnswer (socket, text) {
    const status = text.slice(9, 12)
    statuses[status] = (statuses[status] ?? 0) + 1
    if (status === '200') latencies.push(performance.now() - socket.askedAt)
    else {
      const at = text.indexOf('"retCode":"') + 11
      const code = text.slice(at, at + 5)
      codes[code] = (codes[code] ?? 0) + 1
    }
    if (isOver) return
    if (rate === undefined) send(socket)
    else idle.push(socket)
  }

  await Promise.all(Array.from({ length: connections }, async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.latin1Slice()
      const body = text.indexOf('\r\n\r\n') + 4
      // Each answer is JSON with a single closing brace at its end.
      if (body === 3 || !text.endsWith('}')) return
      const answer = text
      text = ''
      onAnswer(socket, answer)
    })
    socket.on('error', () => {})
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('close', () => reject(new Error('refused'))))
    sockets.push(socket)
  }))

  const startedAt = performance.now()
  if (rate === undefined) sockets.forEach(send)
  else {
    idle.push(...sockets)
    const timer = setInterval(() => {
      const now = Math.floor((performance.now() - startedAt) / 1000 * rate)
      for (; due < now; due++) {
        const socket = idle.shift()
        if (socket === undefined) unsent++
        else send(socket)
      }
    }, TICK_MS)
    setTimeout(() => clearInterval(timer), seconds * 1000)
  }
  await new Promise((resolve) => setTimeout(resolve, warmUp * 1000))
  const countedFrom = performance.now()
  const dueBefore = due
  statuses = {}
  codes = {}
  latencies = []
  unsent = 0
  await new Promise((resolve) => setTimeout(resolve, (seconds - warmUp) * 1000))
  isOver = true
  const ms = performance.now() - countedFrom
  for (const socket of sockets) socket.destroy()
  latencies.sort((one, other) => one - other)
  const perSecond = (count = 0) => Math.round(count / ms * 1000)
  return {
    offered: perSecond(due - dueBefore),
    unsent: perSecond(unsent),
    answered: perSecond(statuses['200']),
    codes,
    p50Ms: latencies[Math.floor(latencies.length / 2)],
    p99Ms: latencies[Math.floor(latencies.length * 0.99)]
  }
}
