import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as nodeRedis from 'redis'
import { Redis } from 'ioredis'
import t from 'tap'
import { fromNodeRedis } from '../../lib/redis-client/node-redis.js'
import { redisSessions } from '../../lib/sessions/redis.js'
import { makeToken, toUid } from '../../lib/sessions/token.js'
import { newRoom, nodeRecord } from '../../lib/testing/contracts/rooms.js'
import { connect, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../support/redis-server.js'
import { skipWithout } from '../support/skip-reason.js'
import type { Test } from 'tap'
import type { RedisClient } from '../../types/index.js'

interface Tls {
  port: number
  ca: string
}

const CLIENTS: Record<string, (t: Test, tls: Tls) => Promise<RedisClient>> = {
  async 'ioredis 6' (t, { port, ca }) {
    const client = new Redis({ port, host: 'localhost', tls: { ca } }).on('error', () => {})
    t.teardown(() => client.disconnect())
    return client
  },
  async 'node-redis 6' (t, { port, ca }) {
    const client = nodeRedis.createClient({ socket: { port, host: 'localhost', tls: true, ca } }).on('error', () => {})
    t.teardown(() => client.destroy())
    return fromNodeRedis(await client.connect())
  }
}

t.test('registry and token store – over TLS – work', { skip: withoutRedis || skipWithout('openssl') }, async (t) => {
  const folder = t.testdir()
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`]
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert
  ], { stdio: 'ignore' })
  const port = await findFreePort()
  const server = await startRedis(t, '--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key,
    '--tls-ca-cert-file', cert, '--tls-auth-clients', 'no')
  const admin = connect(t, server.port)
  const session = { tenantId: 't1', channelId: 'web', userId: 'u1' }
  const token = makeToken(session, 1)
  await admin.set(toUid(session), token)

  for (const [name, connectClient] of Object.entries(CLIENTS)) {
    t.test(`with ${name}`, async (t) => {
      await skipSettling(admin, `{${name}}`)
      const redis = await connectClient(t, { port, ca: readFileSync(cert, 'utf8') })
      const registry = makeRegistry(t, redis, { prefix: `{${name}}` })
      const member = await registry.join(nodeRecord('n1'))
      t.equal((await registry.assign(newRoom())).node.incarnation, member.incarnation)
      t.strictSame(await redisSessions({ redis }).find(token, AbortSignal.timeout(20_000)), session)
    })
  }
})
