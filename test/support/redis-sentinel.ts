import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from './redis-registry.js'
import { findFreePort, startRedis } from './redis-server.js'
import { until } from './until.js'
import type { Test } from 'tap'
import type { RedisServer } from './redis-server.js'

const SENTINELS = 3
const AT_ONCE = ['--repl-diskless-sync-delay', '0']

export interface Sentinels {
  /** Name of the primary for the clients. */
  name: string
  sentinels: Array<{ host: string, port: number }>
  primary: RedisServer
  replica: RedisServer
  /** Kills the primary once the replica has its writes, and waits until the replica takes over. */
  failOver (): Promise<void>
}

/** Starts a primary, its replica, and three Sentinels that watch them. */
export async function startSentinels (t: Test): Promise<Sentinels> {
  const [primary, replica] = await Promise.all([startRedis(t, ...AT_ONCE), startRedis(t, ...AT_ONCE)])
  const [ofPrimary, ofReplica] = [connect(t, primary.port), connect(t, replica.port)]
  await ofReplica.replicaof('127.0.0.1', primary.port)
  const about = async () => await ofReplica.info('replication')
  await until(async () => (await about()).includes('master_link_status:up'), 'the replica to attach')
  const starts = Array.from({ length: SENTINELS }, async () => await startSentinel(t, primary.port))
  const sentinels = await Promise.all(starts)
  const [first] = sentinels.map(({ port }) => connect(t, port))
  await until(async () => {
    const known = String(await first?.call('SENTINEL', 'MASTER', 'cobrowse'))
    return known.includes('num-slaves,1') && known.includes(`num-other-sentinels,${SENTINELS - 1}`)
  }, 'the Sentinels to know each other and the replica')
  return {
    name: 'cobrowse',
    sentinels,
    primary,
    replica,
    async failOver () {
      await ofPrimary.wait(1, 1000)
      await primary.kill()
      await until(async () => (await about()).includes('role:master'), 'the replica to take over', 30_000)
    }
  }
}

async function startSentinel (t: Test, primaryPort: number): Promise<{ host: string, port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-sentinel-'))
  const port = await findFreePort()
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, [
    `port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel monitor cobrowse 127.0.0.1 ${primaryPort} 2`,
    'sentinel down-after-milliseconds cobrowse 500', 'sentinel failover-timeout cobrowse 3000'
  ].join('\n'))
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true, force: true })
  })
  return { host: '127.0.0.1', port }
}
