import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import type { ToxicProxy } from '../../../lib/testing/toxic-proxy.js'
import type { Note } from './history.mjs'
import type { Random } from './random.mjs'
import type { Store } from './store.js'

/** Process of the race, with its connection to the store. */
export interface Victim {
  readonly name: string
  readonly child: ChildProcess
  /** Proxies, one for each server. */
  readonly proxies: ToxicProxy[]
  /** Starts the process again under the same name, after it ended. */
  restart (): Promise<void>
}

export interface KillerParts {
  store: Store
  nodes: Victim[]
  gateways: Victim[]
  lease: number
  random: Random
  note: Note
  /** Called after each change of servers. */
  onServers (): void
}

export interface Killer {
  /** Names of all faults. */
  faults: string[]
  /** Injects one fault, and heals it. */
  commit (fault: string): Promise<void>
}

interface Deed {
  victims: Victim[] | undefined
  work (victim?: Victim): Promise<object | void>
}

export function createKiller ({ store, nodes, gateways, lease, random, note, onServers }: KillerParts): Killer {
  const short = 0.5 * lease
  const long = 2.5 * lease
  /** A time so long that a client on the wrong node would not be told in it. */
  const veryLong = 8 * lease
  const everybody = [...nodes, ...gateways]

  async function stop ({ child }: Victim, ms: number): Promise<void> {
    child.kill('SIGSTOP')
    await sleep(ms)
    child.kill('SIGCONT')
  }

  async function cut ({ proxies }: Victim, mode: 'hang' | 'refuse', ms: number): Promise<void> {
    for (const proxy of proxies) proxy.set(mode)
    await sleep(ms)
    for (const proxy of proxies) proxy.set('pass')
  }

  async function slow ({ proxies }: Victim): Promise<void> {
    for (const proxy of proxies) proxy.delay(random.between(50, 400))
    await sleep(long)
    for (const proxy of proxies) proxy.delay(0)
  }

  async function kill ({ child, restart }: Victim): Promise<void> {
    child.kill('SIGKILL')
    await sleep(random.between(50, 500))
    await restart()
  }

  const on = (victims: Victim[], work: (victim: Victim) => Promise<void>): Deed =>
    ({ victims, work: async (victim) => { if (victim !== undefined) await work(victim) } })
  const onNode = (work: (node: Victim) => Promise<void>) => on(nodes, work)
  const onGateway = (work: (gateway: Victim) => Promise<void>) => on(gateways, work)

  const deeds: Record<string, Deed> = {
    'node-kill': onNode(kill),
    'node-stop-short': onNode(async (node) => await stop(node, short)),
    'node-stop-long': onNode(async (node) => await stop(node, long)),
    'node-hang-short': onNode(async (node) => await cut(node, 'hang', short)),
    'node-hang-long': onNode(async (node) => await cut(node, 'hang', veryLong)),
    'node-refuse-short': onNode(async (node) => await cut(node, 'refuse', short)),
    'node-refuse-long': onNode(async (node) => await cut(node, 'refuse', long)),
    'node-slow': onNode(slow),
    'gateway-slow': onGateway(slow),
    'gateway-stop': onGateway(async (gateway) => await stop(gateway, random.between(short, long))),
    'gateway-cut': onGateway(async (gateway) =>
      await cut(gateway, random.pick(['hang', 'refuse']), random.between(short, long)))
  }
  const storeDeeds = store.faults({
    short,
    long,
    random,
    killNode: async () => await commit('node-kill'),
    onServers,
    onMove () {
      for (const victim of random.shuffle(everybody)) retarget(victim, store.ports())
    }
  })
  for (const [fault, work] of Object.entries(storeDeeds)) deeds[fault] = { victims: undefined, work }

  async function commit (fault: string): Promise<void> {
    const deed = deeds[fault]
    if (deed === undefined) throw new TypeError(`no such fault: ${fault}`)
    const { victims, work } = deed
    const victim = victims && random.pick(victims)
    const target = victim?.name ?? 'store'
    note('fault', { fault, target, phase: 'begin' })
    const details = await (victim === undefined ? work() : work(victim))
    note('fault', { fault, target, phase: 'end', ...details })
  }

  return { faults: Object.keys(deeds), commit }
}

/** The same proxies lead to other servers. */
function retarget ({ proxies }: Victim, ports: number[]): void {
  for (const [at, port] of ports.entries()) proxies[at]?.retarget(port)
}
