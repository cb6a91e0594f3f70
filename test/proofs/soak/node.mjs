// Runs a built relay node with `ws` in a process of its own.
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { WebSocketServer } from 'ws'
import { redisRegistry } from '../../../dist/lib/index.js'
import { joinCobrowse, readOffer } from '../../../dist/lib/node/index.js'
import { answerMeasures } from './measure.mjs'

const { id, redisPort, times, signing } = JSON.parse(process.argv[2])
const redis = new Redis(redisPort, '127.0.0.1').on('error', () => {})
const registry = redisRegistry({ redis, ...times })
const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'cobrowse.v1' })
const server = createServer().listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const wssUrl = `ws://127.0.0.1:${server.address().port}/${id}`
const node = await joinCobrowse({ registry, id, wssUrl, signing })

async function take (socket, request) {
  socket.on('error', () => socket.terminate())
  try {
    const seat = await node.admit(readOffer(request.headers).signature)
    seat.ended.then(({ code, reason }) => socket.close(code, reason))
    socket.on('close', () => seat.leave())
    if (socket.readyState !== socket.OPEN) return seat.leave()
    socket.send('inside')
  } catch (error) {
    socket.close(error.closeCode ?? 1011, error.message)
  }
}

server.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (client) => take(client, request)))
answerMeasures()
process.on('message', (message) => {
  if (message === 'drain') node.drain({ deadline: 500 }).catch(() => {})
  if (message === 'undrain') node.undrain().catch(() => {})
})
process.on('disconnect', () => process.exit(0))
process.send({ wssUrl })
