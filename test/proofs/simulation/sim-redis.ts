import * as gatewayScripts from '../../../lib/registry/redis/scripts/gateway.js'
import * as nodeScripts from '../../../lib/registry/redis/scripts/node.js'
import * as operatorScripts from '../../../lib/registry/redis/scripts/operator.js'
import { LuaHost } from './lua.js'
import { defect, RedisData } from './redis-data.js'
import type { Script } from '../../../lib/registry/redis/scripts/prelude.js'
import type { Reply } from './redis-data.js'
import type { Process, Timeline } from './timeline.js'
import type { Link, Store } from './fixture.js'
import type { RedisScripter } from '../../../types/registry.js'

/** Scripts by their SHA-1: those modules export nothing else. */
const ALL = Object.entries<Script>({ ...gatewayScripts, ...nodeScripts, ...operatorScripts })
export const SCRIPTS = new Map(ALL.map(([name, { sha1, text }]) => [sha1, { name, text }]))

// One interpreter serves all worlds, since it compiles the scripts; they keep no state between runs.
let running: RedisData | undefined
const host = new LuaHost((name, args) => {
  if (running === undefined) throw new Error('no script is running')
  return running.run(name, args)
})

/** Script that is on its way. */
interface Message {
  name: string
  text: string
  keys: string[]
  args: string[]
  process: Process
  resolve (reply: Reply): void
  reject (error: Error): void
}

/** Called with every script that ran. */
export type OnRun = (name: string, keys: string[], args: string[], reply: Reply) => void

/** Redis on which a world can run. */
export interface RedisServer extends Store {
  onRun: OnRun
  clientOf (process: Process, link: Link): RedisScripter
  wipe (): Promise<void>
  /** Fails over to a server that lacks the writes of the last milliseconds. */
  failOver (lostMs: number): Promise<void>
}

/** Runs the real scripts in this process. */
export class SimRedis implements RedisServer {
  readonly data: RedisData
  readonly #timeline: Timeline
  #late: Array<() => void> = []
  isAway = false
  onRun: OnRun = () => {}

  constructor (timeline: Timeline) {
    this.#timeline = timeline
    this.data = new RedisData(() => timeline.now)
  }

  get late (): number {
    return this.#late.length
  }

  clientOf (process: Process, link: Link): RedisScripter {
    return {
      status: 'ready',
      evalsha: async (sha1, count, ...given) => await this.#send(process, link, sha1, count, given.map(String)),
      eval: async () => { throw new Error('every script is known here') }
    }
  }

  land (): void {
    const landing = this.#late
    this.#late = []
    for (const arrive of landing) arrive()
  }

  heal (): void {
    this.isAway = false
  }

  async prepare (): Promise<void> {
    this.data.run('HSET', ['{cobrowse}:meta', 'epoch', 'an-epoch-of-22-letters'])
  }

  async wipe (): Promise<void> {
    this.data.flush()
  }

  async failOver (lostMs: number): Promise<void> {
    const takeOver = this.data.snapshot()
    await this.#timeline.advance(lostMs)
    takeOver()
    this.data.replid = (Number.parseInt(this.data.replid.slice(-8), 16) + 1).toString(16).slice(-8).padStart(40, '0')
  }

  async #send (process: Process, link: Link, sha1: string, count: number, given: string[]): Promise<unknown> {
    const script = SCRIPTS.get(sha1)
    if (script === undefined) throw defect(`no script has the SHA-1 ${sha1}`)
    return await new Promise((resolve, reject) => {
      const message: Message = {
        ...script, keys: given.slice(0, count), args: given.slice(count), process, resolve, reject
      }
      const fate = link.next
      link.next = undefined
      if (this.isAway || link.isCut) {
        if (link.cutMode === 'refuse') reject(new Error('ECONNREFUSED'))
        else this.#late.push(() => this.#arrive(message, link))
      } else if (fate === 'late') this.#late.push(() => this.#arrive(message, link))
      else if (fate === 'answered late') {
        const answer = this.#execute(message)
        this.#late.push(answer)
      } else this.#execute(message)()
    })
  }

  #arrive (message: Message, link: Link): void {
    if (this.isAway || link.isCut) message.reject(new Error('ECONNRESET'))
    else this.#execute(message)()
  }

  /** @returns a function that delivers the answer */
  #execute ({ name, text, keys, args, process, resolve }: Message): () => void {
    try {
      running = this.data
      const reply = host.run(text, keys, args)
      this.onRun(name, keys, args, reply)
      const deliver = () => {
        if (process.isPaused) this.#late.push(deliver)
        else if (!process.isDead) resolve(reply)
      }
      return deliver
    } catch (error) {
      // No script fails on data that scripts wrote.
      throw defect(String(error))
    }
  }
}
