// Runs a relay node on the built kit. Seats have to be cheap, so there are no WebSockets: a client sends its signature
// and a newline, and is answered "ok" or the close code; the connection is the seat.
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdmissionError, joinCobrowse } from '../../../dist/lib/node/index.js'
import { beginChild } from './child.mjs'
import { createDoors } from './doors.mjs'
import { readSignature } from './read-signature.mjs'
import { makeRegistry } from './registry.mjs'

const { note, ...config } = beginChild()
const { settings: { patience, signing }, name, port } = config
const registry = makeRegistry(config, note)
const doors = createDoors()
const node = await join()

async function join () {
  for (;;) {
    try {
      return await joinCobrowse({
        registry: { ...registry, join: async (record) => doors.watch(await registry.join(record)) },
        id: name,
        wssUrl: `ws://127.0.0.1:${port}/${name}`,
        signing,
        patience
      })
    } catch (error) {
      note('not-joined', { error: String(error.cause ?? error) })
      await sleep(200)
    }
  }
}

function serve (socket) {
  let text = ''
  socket.on('error', () => {})
  socket.setNoDelay()
  socket.on('data', function read (data) {
    text += data
    if (!text.endsWith('\n')) return
    socket.off('data', read).resume()
    answer(socket, text.trimEnd())
  })
}

async function answer (socket, signature) {
  const claims = readSignature(signature)
  const { room, role, jti } = claims
  const who = { room, role, jti }
  let seat
  try {
    seat = await node.admit(signature)
  } catch (error) {
    if (!(error instanceof AdmissionError)) throw error
    note('refused', { ...who, code: error.closeCode, cause: error.cause?.message })
    socket.end(`${error.closeCode}\n`)
    return
  }
  note('admitted', { ...claims, heldAt: doors.heldAt(room) })
  let isInside = true
  seat.ended.then(({ code, reason }) => {
    isInside = false
    note('ended', { ...who, code, reason })
    socket.end(`${code}\n`)
  })
  function leave () {
    if (isInside) note('left', who)
    seat.leave()
  }
  if (socket.destroyed) leave()
  else socket.once('close', leave).write('ok\n')
}

for (const event of ['opened', 'closed']) node.on(event, ({ room }) => note(event, { room }))
for (const event of ['lapsed', 'resumed']) node.on(event, () => note(event, { incarnation: node.incarnation }))
node.on('replaced', async () => {
  note('replaced', { incarnation: node.incarnation })
  // Gives the clients time to read their codes.
  await sleep(100)
  process.exit(0)
})

createServer(serve).listen({ host: '127.0.0.1', port, backlog: 1024 }, () => {
  note('started', { incarnation: node.incarnation })
  process.send('ready')
})
