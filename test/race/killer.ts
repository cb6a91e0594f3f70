import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import type { ToxicProxy } from '../../lib/testing/toxic-proxy.js'
import type { Note } from './history.mjs'
import type { Random } from './random.mjs'
import type { Fault } from './settings.js'
import type { Store } from './store.js'

/** A process of the race, and its way to the store. */
export interface Victim {
  readonly name: string
  readonly child: ChildProcess
  readonly proxy: ToxicProxy
  /** Under the same name, after its end. */
  restart (): Promise<void>
}

export interface KillerParts {
  store: Store
  nodes: Victim[]
  gateways: Victim[]
  lease: number
  random: Random
  note: Note
  /** Told of each change of servers. */
  onServers (): void
}

export interface Killer {
  /** Does one thing, and undoes it. */
  commit (fault: Fault): Promise<void>
}

export function createKiller ({ store, nodes, gateways, lease, random, note, onServers }: KillerParts): Killer {
  const short = 0.5 * lease
  const long = 2.5 * lease
  /** Whoever waits in the wrong room for so long would be told so by nobody. */
  const veryLong = 8 * lease
  const everybody = [...nodes, ...gateways]

  async function stop ({ child }: Victim, ms: number): Promise<void> {
    child.kill('SIGSTOP')
    await sleep(ms)
    child.kill('SIGCONT')
  }

  async function cut ({ proxy }: Victim, mode: 'hang' | 'refuse', ms: number): Promise<void> {
    proxy.set(mode)
    await sleep(ms)
    proxy.set('pass')
  }

  async function kill ({ child, restart }: Victim): Promise<void> {
    child.kill('SIGKILL')
    await sleep(random.between(50, 500))
    await restart()
  }

  async function stopStore (ms: number): Promise<void> {
    store.pause()
    await sleep(ms)
    store.resume()
  }

  async function killStore (keepsData: boolean): Promise<void> {
    await store.kill()
    await sleep(random.between(50, 500))
    await store.restart(keepsData)
    onServers()
  }

  async function failOver (): Promise<object> {
    const missed = await store.failOver(async () => {
      // A registration that is lost is worse than a room that is.
      if (random.next() < 0.5) await commit('node-kill')
      await sleep(random.between(500, 2000))
    })
    onServers()
    for (const { proxy } of random.shuffle(everybody)) proxy.retarget(store.port)
    return { missed }
  }

  const onNode = (work: (node: Victim) => Promise<void>) => ({ victims: nodes, work })
  const onGateway = (work: (gateway: Victim) => Promise<void>) => ({ victims: gateways, work })
  const onStore = (work: () => Promise<object | void>) => ({ victims: undefined, work })

  const deeds: Record<Fault, ReturnType<typeof onNode | typeof onStore>> = {
    'node-kill': onNode(kill),
    'node-stop-short': onNode(async (node) => await stop(node, short)),
    'node-stop-long': onNode(async (node) => await stop(node, long)),
    'node-hang-short': onNode(async (node) => await cut(node, 'hang', short)),
    'node-hang-long': onNode(async (node) => await cut(node, 'hang', veryLong)),
    'node-refuse-short': onNode(async (node) => await cut(node, 'refuse', short)),
    'node-refuse-long': onNode(async (node) => await cut(node, 'refuse', long)),
    'gateway-stop': onGateway(async (gateway) => await stop(gateway, random.between(short, long))),
    'gateway-cut': onGateway(async (gateway) =>
      await cut(gateway, random.pick(['hang', 'refuse']), random.between(short, long))),
    'store-flush': onStore(store.flush),
    'store-kill-empty': onStore(async () => await killStore(false)),
    'store-kill-kept': onStore(async () => await killStore(true)),
    'store-stop-short': onStore(async () => await stopStore(short)),
    'store-stop-long': onStore(async () => await stopStore(long)),
    'store-fail-over': onStore(failOver)
  }

  async function commit (fault: Fault): Promise<void> {
    const { victims, work } = deeds[fault]
    const victim = victims && random.pick(victims)
    const target = victim?.name ?? 'store'
    note('fault', { fault, target, phase: 'begin' })
    const details = await (work as (victim: Victim | undefined) => Promise<object | void>)(victim)
    note('fault', { fault, target, phase: 'end', ...details })
  }

  return { commit }
}
