import { once } from 'node:events'
import { createServer } from 'node:http'
import t from 'tap'
import WebSocket from 'ws'
import { startRelay } from '../../demo/relay.js'
import { memoryRegistry } from '../../lib/registry/memory.js'
import { createIssuer } from '../../lib/signature.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'

const signing = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }

t.test('a client of the demo that does not read is dropped, and costs the others nothing', async (t) => {
  const registry = memoryRegistry()
  const relay = await startRelay({ id: 'n', path: '/ws', wssUrl: 'wss://n.example/ws', registry, signing })
  const server = createServer().on('upgrade', relay.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sockets: WebSocket[] = []
  t.teardown(async () => {
    for (const socket of sockets) socket.terminate()
    await relay.close()
    server.close()
  })
  const issue = createIssuer(signing)

  async function enter (): Promise<WebSocket> {
    const room = { tenant: 't', room: 'r' }
    const { node, issuedAt } = await registry.assign(room)
    const signature = issue({ ...room, user: 'u', name: 'U', role: 'recorder', node, issuedAt })
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
    const socket = new WebSocket(url, ['cobrowse.v1', signature])
    sockets.push(socket)
    await once(socket, 'open')
    return socket
  }
  const [sender, reader, sleeper] = [await enter(), await enter(), await enter()]
  const heard: Record<string, number> = {}
  for (const [name, socket] of Object.entries({ reader, sleeper })) {
    socket.on('message', (data: Buffer) => { heard[name] = data[0] ?? 0 })
  }
  await until(() => {
    sender.send(Buffer.from([1]))
    return heard.reader === 1 && heard.sleeper === 1
  }, 'all are in')
  sleeper.pause()
  for (let number = 2; number < 66; number++) {
    sender.send(Buffer.alloc(1024 * 1024 - 1, number))
    await until(() => heard.reader === number, 'the reader has it')
  }
  let code: number | undefined
  sleeper.on('close', (number) => { code = number }).resume()
  t.equal(await until(() => code, 'the end of it'), 1006, 'cut off')
  t.equal(reader.readyState, reader.OPEN)
})
