// A relay node on ZooKeeper that passes the messages of admitted clients on, in whichever room they are.
import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import { zookeeperRegistry } from 'fastify-cobrowse'
import { AdmissionError, joinCobrowse, readOffer } from 'fastify-cobrowse/node'

const { PORT, ZOOKEEPER, SESSION, COBROWSE_KEY_ID: id, COBROWSE_KEY: secret } = process.env
const registry = zookeeperRegistry({ hosts: ZOOKEEPER, sessionTimeout: Number(SESSION) })
const server = new WebSocketServer({ port: Number(PORT), host: '127.0.0.1', handleProtocols: () => 'cobrowse.v1' })
await once(server, 'listening')
const wssUrl = `ws://127.0.0.1:${PORT}/ws/cobrowse/1`
const node = await joinCobrowse({ registry, id: 'node-1', wssUrl, signing: { keys: [{ id, secret }] } })
const inside = new Set()

server.on('connection', async (socket, request) => {
  socket.on('error', () => socket.terminate())
  socket.pause()
  try {
    const { leave, ended } = await node.admit(readOffer(request.headers).signature)
    inside.add(socket)
    socket.on('close', () => {
      inside.delete(socket)
      leave()
    })
    socket.on('message', (data, binary) => {
      for (const other of inside) if (other !== socket) other.send(data, { binary })
    })
    ended.then(({ code, reason }) => socket.close(code, reason))
  } catch (error) {
    socket.close(error instanceof AdmissionError ? error.closeCode : 1011)
  } finally {
    socket.resume()
  }
})

process.once('SIGTERM', async () => {
  await node.close()
  await registry.close()
  process.exit()
})
