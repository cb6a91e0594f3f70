// Runs a gateway's built registry in a process of its own; a loader would cost each process two seconds.
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { redisRegistry } from '../../dist/lib/registry/redis.js'

const [port, client] = process.argv.slice(2)
const redis = client === '5' ? new Redis5(Number(port), '127.0.0.1') : new Redis(Number(port), '127.0.0.1')
redis.on('error', () => {})
const registry = redisRegistry({ redis })

/** Asks for each room it receives by concurrent calls of `ask`, and sends back the answers. */
function serve (ask) {
  process.on('message', async ({ room, calls }) => {
    process.send(await Promise.all(Array.from({ length: calls }, async () => await ask(room).catch(String))))
  })
  process.on('disconnect', () => process.exit(0))
  process.send('ready')
}

serve(async function ask (room, left = 20) {
  try {
    const { node } = await registry.assign({ tenant: 't1', room })
    return `${node.id}|${node.incarnation}`
  } catch (error) {
    // A busy machine may exceed the request timeout, and callers then ask again.
    if (error.cause?.name !== 'DeadlineError' || left === 0) throw error
    return await ask(room, left - 1)
  }
})
