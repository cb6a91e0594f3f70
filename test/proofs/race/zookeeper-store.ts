import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../lib/common/clock.js'
import { createZooKeeperClient } from '../../../lib/zookeeper-client/client.js'
import { createLayout } from '../../../lib/registry/zookeeper/layout.js'
import { startEnsemble, startZooKeeper } from '../../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { ZooKeeperClient } from '../../../lib/zookeeper-client/client.js'
import type { ZooKeeperServer } from '../../support/zookeeper-server.js'
import type { Note } from './history.mjs'
import type { FaultTools, Store } from './store.js'

const OBSERVATION_MS = 50
/** Layout of `zookeeperRegistry` with its default root. */
const layout = createLayout('/cobrowse')

/** Starts one ZooKeeper server or an ensemble; its faults are lost servers and sessions. */
export async function startZooKeeperStore (t: Test, size: number): Promise<Store> {
  const servers = size === 1 ? [await startZooKeeper(t)] : (await startEnsemble(t, size)).servers
  const client = createZooKeeperClient({
    hosts: servers.map(({ hosts }) => hosts).join(','), sessionTimeout: 4000, clock: systemClock, log: () => undefined
  })
  client.start()
  t.teardown(async () => await client.close())

  async function leader (): Promise<ZooKeeperServer> {
    for (;;) {
      for (const server of servers) if (await server.isLeader()) return server
      await sleep(100)
    }
  }

  return {
    kind: 'zookeeper',
    ports: () => servers.map(({ port }) => port),
    pids: () => servers.map(({ pid }) => pid),
    observe: (note) => observe(client, note),
    faults: (tools) => size === 1 ? faultsOfOne(tools) : faultsOfMany(tools)
  }

  async function stop (stopped: ZooKeeperServer[], ms: number): Promise<void> {
    for (const server of stopped) server.pause()
    await sleep(ms)
    for (const server of stopped) server.resume()
  }

  async function kill (killed: ZooKeeperServer[], { random, onServers }: FaultTools): Promise<void> {
    await Promise.all(killed.map(async (server) => await server.kill()))
    await sleep(random.between(50, 1000))
    await Promise.all(killed.map(async (server) => await server.restart({ keepsData: true })))
    onServers()
  }

  /** Expires the session of a node, as if it had been silent. */
  async function expire ({ random }: FaultTools): Promise<void> {
    const children = await client.children(layout.nodes, { ms: 2000 }).catch(() => undefined) ?? []
    const child = random.shuffle(children)[0]
    const stat = child && await client.exists(`${layout.nodes}/${child}`, { ms: 2000 }).catch(() => undefined)
    if (stat) await (await leader()).expire(stat.ephemeralOwner)
  }

  function faultsOfOne (tools: FaultTools) {
    return {
      'store-expire': async () => await expire(tools),
      'store-kill-kept': async () => await kill(servers, tools),
      'store-stop-short': async () => await stop(servers, tools.short),
      'store-stop-long': async () => await stop(servers, tools.long)
    }
  }

  function faultsOfMany (tools: FaultTools) {
    const { random, short, long } = tools
    const someone = () => random.pick(servers)
    return {
      'store-expire': async () => await expire(tools),
      'store-leader-kill': async () => await kill([await leader()], tools),
      'store-leader-stop': async () => await stop([await leader()], long),
      'store-server-stop': async () => await stop([someone()], random.between(short, long)),
      'store-quorum-kill': async () => await kill(random.shuffle(servers).slice(0, Math.ceil(size / 2)), tools),
      'store-stop-long': async () => await stop(servers, long)
    }
  }
}

/** Asks the leader repeatedly for the live nodes, since no clock of the store tells. */
function observe (client: ZooKeeperClient, note: Note): () => void {
  /** Latest moment at which each node was certainly alive. */
  const seen = new Map<string, number>()
  const over = new AbortController()

  async function look (): Promise<void> {
    const children = await client.children(layout.nodes) ?? []
    const members = new Set([...children.flatMap((child) => layout.memberOf(child) ?? []), ...seen.keys()])
    await Promise.all([...members].map(async (member) => {
      const sentAt = Date.now()
      const failure = await client.multi([{ type: 'check', path: layout.nodePath(member) }])
      if (failure === undefined) {
        note('promised', { script: 'OBSERVED', member, from: seen.get(member) ?? sentAt, until: sentAt })
        seen.set(member, sentAt)
      } else if (seen.delete(member)) note('gone', { member })
    }))
  }

  (async () => {
    while (!over.signal.aborted) {
      await look().catch(() => {})
      await sleep(OBSERVATION_MS)
    }
  })()
  return () => over.abort()
}
