import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import type { ToxicProxy } from '../../../lib/testing/toxic-proxy.js'
import type { Note } from './history.mjs'
import type { Random } from './random.mjs'
import type { Store } from './store.js'

/** Process of the race, with its connection to the store. */
export interface Target {
  readonly name: string
  readonly child: ChildProcess
  /** Proxies, one for each server. */
  readonly proxies: ToxicProxy[]
  /** Starts the process again under the same name, after it ended. */
  restart (): Promise<void>
}

export interface InjectorParts {
  store: Store
  nodes: Target[]
  gateways: Target[]
  lease: number
  random: Random
  note: Note
  /** Called after each change of servers. */
  onServers (): void
}

export interface FaultInjector {
  /** Names of all faults. */
  faults: string[]
  /** Injects one fault, and heals it. */
  inject (fault: string): Promise<void>
}

interface Fault {
  targets: Target[] | undefined
  work (chosen?: Target): Promise<object | void>
}

export function createFaultInjector (parts: InjectorParts): FaultInjector {
  const { store, nodes, gateways, lease, random, note, onServers } = parts
  const short = 0.5 * lease
  const long = 2.5 * lease
  /** A time so long that a client on the wrong node would not be told in it. */
  const veryLong = 8 * lease
  const all = [...nodes, ...gateways]

  async function stop ({ child }: Target, ms: number): Promise<void> {
    child.kill('SIGSTOP')
    await sleep(ms)
    child.kill('SIGCONT')
  }

  async function cut ({ proxies }: Target, mode: 'hang' | 'refuse', ms: number): Promise<void> {
    for (const proxy of proxies) proxy.set(mode)
    await sleep(ms)
    for (const proxy of proxies) proxy.set('pass')
  }

  async function slow ({ proxies }: Target): Promise<void> {
    for (const proxy of proxies) proxy.delay(random.between(50, 400))
    await sleep(long)
    for (const proxy of proxies) proxy.delay(0)
  }

  async function kill ({ child, restart }: Target): Promise<void> {
    child.kill('SIGKILL')
    await sleep(random.between(50, 500))
    await restart()
  }

  const on = (targets: Target[], work: (target: Target) => Promise<void>): Fault =>
    ({ targets, work: async (chosen) => { if (chosen !== undefined) await work(chosen) } })
  const onNode = (work: (node: Target) => Promise<void>) => on(nodes, work)
  const onGateway = (work: (gateway: Target) => Promise<void>) => on(gateways, work)

  const faults: Record<string, Fault> = {
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
  const storeFaults = store.faults({
    short,
    long,
    random,
    killNode: async () => await inject('node-kill'),
    onServers,
    onMove () {
      for (const target of random.shuffle(all)) retarget(target, store.ports())
    }
  })
  for (const [fault, work] of Object.entries(storeFaults)) faults[fault] = { targets: undefined, work }

  async function inject (fault: string): Promise<void> {
    const found = faults[fault]
    if (found === undefined) throw new TypeError(`no such fault: ${fault}`)
    const { targets, work } = found
    const chosen = targets && random.pick(targets)
    const target = chosen?.name ?? 'store'
    note('fault', { fault, target, phase: 'begin' })
    const details = await (chosen === undefined ? work() : work(chosen))
    note('fault', { fault, target, phase: 'end', ...details })
  }

  return { faults: Object.keys(faults), inject }
}

/** The same proxies lead to other servers. */
function retarget ({ proxies }: Target, ports: number[]): void {
  for (const [at, port] of ports.entries()) proxies[at]?.retarget(port)
}
