// Runs a built gateway in a process of its own; a loader would cost each of many processes seconds. For each room it
// receives, it asks several times at once, and sends back the answers: the node's address, or the retCode.
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { cobrowse, ownUserIdOnly, redisRegistry, redisSessions, staticProvision } from '../../dist/lib/index.js'

const [port, path, secret] = process.argv.slice(2)
const redis = new Redis(Number(port), '127.0.0.1').on('error', () => {})
const app = Fastify({ requestTimeout: 5000 })
await app.register(cobrowse, {
  sessions: redisSessions({ redis }),
  registry: redisRegistry({ redis }),
  provision: staticProvision('wss://relay.example'),
  signing: { keys: [{ id: 'test', secret }] },
  authorize: ownUserIdOnly,
  path
})
await app.ready()

async function ask (roomId, role, { token, userId }) {
  const response = await app.inject({
    method: 'POST', url: path, headers: { 'ccmessaging-token': token }, payload: { roomId, userId, userName: 'n', role }
  })
  const { retCode, data } = response.json()
  return retCode === '0' ? data.wssUrl : retCode
}

process.on('message', async ({ rooms, calls, ...caller }) => {
  const roles = Array.from({ length: calls }, (_value, index) => index % 2 === 0 ? 'recorder' : 'replayer')
  process.send(await Promise.all(rooms.map(async (room) =>
    await Promise.all(roles.map(async (role) => await ask(room, role, caller))))))
})
process.on('disconnect', () => process.exit(0))
process.send('ready')
