import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { json, startHttpServer } from '../../support/http-server.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { runCli } from '../run-cli.js'
import { expectFinding, NO_ENV } from './expect.js'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'
import type { Finding } from '../../../lib/cli/doctor/finding.js'

// Each of them waits.
t.jobs = 3

/** More than the limits of all steps together, and the start on a busy machine. */
const BOUND_MS = 30_000

/** A server that accepts connections, and says nothing. */
async function startSilent (t: Test): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function doctor (t: Test, args: string[]): Promise<Finding[]> {
  const startedAt = performance.now()
  const { code, out } = await runCli(['doctor', '--json', ...args], { ...NO_ENV, COBROWSE_TOKEN: 'a-token' })
  t.ok(performance.now() - startedAt < BOUND_MS, 'in time')
  t.equal(code, 1)
  return JSON.parse(out)
}

t.test('doctor – store, CC-Provision and gateway hang – names all three in time', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  redis.pause()
  t.teardown(redis.resume)
  const [provision, gateway] = [await startSilent(t), await startSilent(t)]
  const findings = await doctor(t, [
    '--redis', redis.url, '--provision', `http://${provision}`, '--gateway', `http://${gateway}`, '--user', 'u1'
  ])
  expectFinding(t, findings, ['store', 'fault', /cannot be asked: Command timed out/])
  expectFinding(t, findings, ['provision', 'fault', /timed out/])
  expectFinding(t, findings, ['ask', 'fault', /did not answer within 3000 ms/])
})

t.test('doctor – a node hangs, and the gateway ends no call – names both in time', async (t) => {
  const wssUrl = `ws://${await startSilent(t)}/ws`
  const gateway = await startHttpServer(t, (request, response) => {
    if (request.url?.endsWith('/getConnectionInfo') === true) {
      json({ retCode: '0', data: { wssUrl, signature: 'eyJ.signature' } })(request, response)
    }
  })
  const findings = await doctor(t, ['--gateway', gateway.url, '--user', 'u1'])
  expectFinding(t, findings, ['open', 'fault', /does not open: no answer within 3 s/])
  expectFinding(t, findings, ['end', 'fault', /did not answer within 3000 ms/])
})

t.test('doctor – a server that says nothing in place of ZooKeeper, and a demo that hangs – names both in time', async (t) => {
  const [store, demo] = [await startSilent(t), await startSilent(t)]
  const findings = await doctor(t, ['--zookeeper', store, '--demo', '--gateway', `http://${demo}`])
  expectFinding(t, findings, ['store', 'fault', /cannot be reached \(no answer within 2 s\)/])
  expectFinding(t, findings, ['session', 'fault', /no server grants a session/])
  expectFinding(t, findings, ['token', 'fault', /timeout/])
})
