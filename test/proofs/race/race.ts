import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startToxicProxy } from '../../../lib/testing/toxic-proxy.js'
import { findFreePort } from '../../support/redis-server.js'
import { openHistory } from './history.mjs'
import { createFaultInjector } from './fault-injector.js'
import { createProcesses } from './processes.js'
import { createRandom } from './random.mjs'
import { settingsOn } from './settings.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'
import type { Target } from './fault-injector.js'
import type { Store } from './store.js'

const USER = 'u1'
const WARM_UP_MS = 2000
/** A smaller number proves nothing: on a slow machine, all conditions but the number hold. */
const FEWEST_ROOMS = { redis: 100, zookeeper: 20 }
/** Time in which the last signatures expire, and disconnected clients meet again. */
const COOL_DOWN_MS = 5000

/** Extent of a race. */
export interface Extent {
  gateways: number
  nodes: number
  drivers: number
  /** Seconds from its start; the race goes on longer if a fault has not been injected. */
  seconds: number
  /** Least number of rooms that operators move. */
  moves: number
  /** Names of faults, as in fault-injector.ts and in the stores. */
  faults: readonly string[] | 'all'
  /** Whether leases may lapse without a fault, as they do on a machine that runs other tests as well. */
  mayLapse?: boolean
  /** Rooms that a driver plays at once, fewer than in the settings: less load, and as many faults. */
  roomsAtOnce?: number
}

export interface RaceOptions {
  startStore (t: Test): Promise<Store>
  /** Folder of its history. */
  folder: string
  extent: Extent
  seed: number
}

interface StartedTarget {
  target: Target
  /** First message of the process, sent when it was ready. */
  message: unknown
}

/** Runs a race; checker.mjs checks its history. */
export async function runRace (t: Test, { startStore, folder, extent, seed }: RaceOptions): Promise<void> {
  const random = createRandom(seed)
  const note = openHistory(folder, 'injector')
  const processes = createProcesses(t)
  const store = await startStore(t)
  const own = settingsOn(store.kind)
  const settings = { ...own, roomsAtOnce: extent.roomsAtOnce ?? own.roomsAtOnce }
  const watchServers = () => store.pids().forEach(processes.watch)
  watchServers()

  async function startTarget (name: string, script: string, more: object): Promise<StartedTarget> {
    const proxies = await Promise.all(store.ports().map(async (port) => await startToxicProxy({ port })))
    t.teardown(async () => { await Promise.all(proxies.map(async (proxy) => await proxy.close())) })
    const where = { kind: store.kind, ports: proxies.map(({ port }) => port) }
    const config = { settings, folder, name, store: where, ...more }
    let { child, message } = await processes.start(script, config)
    restartWhenReplaced()

    function restartWhenReplaced (): void {
      child.once('exit', async (code) => { if (code === 0) await restart() })
    }

    async function restart (): Promise<void> {
      child = (await processes.start(script, config)).child
      restartWhenReplaced()
    }

    const target = {
      name,
      proxies,
      get child () {
        return child
      },
      restart
    }
    return { target, message }
  }

  const names = (letter: string, count: number) => Array.from({ length: count }, (_value, at) => `${letter}${at + 1}`)
  const nodes = await Promise.all(names('n', extent.nodes).map(async (name) =>
    await startTarget(name, 'node.mjs', { port: await findFreePort() })))
  const gateways = await Promise.all(names('g', extent.gateways).map(async (name, at) =>
    await startTarget(name, 'gateway.mjs', { user: USER, nodes: names('n', extent.nodes), seed: seed + 100 + at })))
  const addresses = gateways.map(({ message }) => message)
  const drivers = await Promise.all(names('d', extent.drivers).map(async (name, at) => await processes.start(
    'driver.mjs', { settings, folder, name, seed: seed + 1 + at, user: USER, gateways: addresses }
  )))
  const driving = followDrivers(drivers.map(({ child }) => child))

  const endObservation = store.observe(openHistory(folder, 'observer'))
  // A race that fails must not keep its process alive.
  t.teardown(endObservation)
  const injector = createFaultInjector({
    store,
    nodes: nodes.map(({ target }) => target),
    gateways: gateways.map(({ target }) => target),
    lease: settings.lease,
    random,
    note,
    onServers: watchServers
  })
  const faults = extent.faults === 'all' ? injector.faults : extent.faults
  const rooms = FEWEST_ROOMS[store.kind]
  writeFileSync(join(folder, 'race.json'), JSON.stringify({ rooms, moves: extent.moves, seed, faults, settings, mayLapse: extent.mayLapse }))
  await sleep(WARM_UP_MS)
  let left: string[] = []
  const endsAt = performance.now() + extent.seconds * 1000
  const isEnough = () => performance.now() > endsAt
  for (let count = 0; count < faults.length || !isEnough(); count++) {
    if (left.length === 0) left = random.shuffle(faults)
    await injector.inject(left.pop() ?? '')
    // The faults pause while rooms open.
    await sleep(count < faults.length ? random.between(500, 1500) : random.between(3000, 9000))
  }
  await sleep(COOL_DOWN_MS)
  await driving.stop()
  endObservation()
  await processes.end()
}

function followDrivers (drivers: ChildProcess[]) {
  const done = drivers.map(async (driver) => await new Promise<void>((resolve, reject) => {
    driver.on('message', (report: { isDone?: boolean }) => { if (report.isDone) resolve() })
    driver.once('exit', () => reject(new Error('a driver ended')))
  }))
  for (const end of done) end.catch(() => {})
  return {
    async stop () {
      for (const driver of drivers) driver.send('stop')
      await Promise.all(done)
    }
  }
}
