import { connect } from './redis-registry.js'
import { startRedis } from './redis-server.js'
import { until } from './until.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { RedisServer } from './redis-server.js'

const SLOTS = 16_384

interface Shard {
  server: RedisServer
  admin: Redis
  id: string
}

export interface RedisCluster {
  /** Two primaries with half of the slots each, a replica of each, and a third primary for the majority of a vote. */
  nodes: Array<{ host: string, port: number }>
  /** Moves the slot of the key to the other primary, while clients use it. */
  moveSlot (key: string): Promise<void>
  /** Kills the primary of the key once its replica has its writes, and waits until the replica takes over. */
  failOver (key: string): Promise<void>
  /** A client of the primary that has the key. */
  ownerOf (key: string): Promise<Redis>
}

/** Starts a Cluster of five servers. */
export async function startRedisCluster (t: Test): Promise<RedisCluster> {
  const shards = await Promise.all(Array.from({ length: 5 }, async () => await startShard(t)))
  const [first, second, third, ofFirst, ofSecond] = shards as [Shard, Shard, Shard, Shard, Shard]
  await first.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, SLOTS / 2 - 1)
  await second.admin.call('CLUSTER', 'ADDSLOTSRANGE', SLOTS / 2, SLOTS - 2)
  // A primary without a slot does not vote.
  await third.admin.call('CLUSTER', 'ADDSLOTS', SLOTS - 1)
  for (const { server } of shards.slice(1)) await first.admin.call('CLUSTER', 'MEET', '127.0.0.1', server.port)
  await allKnow(shards, (nodes) => nodes.trim().split('\n').length === shards.length && !nodes.includes('handshake'))
  await ofFirst.admin.call('CLUSTER', 'REPLICATE', first.id)
  await ofSecond.admin.call('CLUSTER', 'REPLICATE', second.id)
  await allKnow(shards, (nodes) => nodes.match(/slave/g)?.length === 2)
  await until(async () => {
    const states = await Promise.all(shards.map(async ({ admin }) => String(await admin.call('CLUSTER', 'INFO'))))
    return states.every((state) => state.includes('cluster_state:ok'))
  }, 'a Cluster that is ok')
  await until(async () => {
    const states = await Promise.all([ofFirst, ofSecond].map(async ({ admin }) => await admin.info('replication')))
    return states.every((state) => state.includes('master_link_status:up'))
  }, 'the replicas to attach')

  const slotOf = async (key: string) => Number(await first.admin.call('CLUSTER', 'KEYSLOT', key))
  async function ownerOf (key: string): Promise<Shard> {
    const slot = await slotOf(key)
    const owners = await Promise.all(shards.map(async (shard) => ownsSlot(await nodesOf(shard), slot) ? [shard] : []))
    const [owner] = owners.flat()
    if (owner === undefined) throw new Error(`slot ${slot} has no owner`)
    return owner
  }

  return {
    nodes: shards.map(({ server: { port } }) => ({ host: '127.0.0.1', port })),
    ownerOf: async (key) => (await ownerOf(key)).admin,
    async moveSlot (key) {
      const slot = await slotOf(key)
      const from = await ownerOf(key)
      const to = from === first ? second : first
      await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
      await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
      for (let keys = ['']; keys.length > 0;) {
        keys = await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 100) as string[]
        if (keys.length > 0) await from.admin.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5000, 'KEYS', ...keys)
      }
      for (const { admin } of [to, from, third]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
    },
    async failOver (key) {
      const owner = await ownerOf(key)
      await owner.admin.wait(1, 1000)
      await owner.server.kill()
      const replica = owner === first ? ofFirst : ofSecond
      const about = async () => await replica.admin.info('replication')
      await until(async () => (await about()).includes('role:master'), 'the replica to take over', 40_000)
    }
  }
}

async function startShard (t: Test): Promise<Shard> {
  const server = await startRedis(t, '--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1',
    '--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0')
  const admin = connect(t, server.port)
  return { server, admin, id: String(await admin.call('CLUSTER', 'MYID')) }
}

const nodesOf = async ({ admin }: Shard) => String(await admin.call('CLUSTER', 'NODES'))

async function allKnow (shards: Shard[], test: (nodes: string) => boolean): Promise<void> {
  await until(async () => (await Promise.all(shards.map(nodesOf))).every(test), 'the servers to know each other')
}

/** Whether the server that was asked says that it is the primary of the slot. */
function ownsSlot (nodes: string, slot: number): boolean {
  const own = nodes.split('\n').find((line) => line.includes('myself,master')) ?? ''
  return own.split(' ').slice(8).some((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number)
    return slot >= from && slot <= to
  })
}
