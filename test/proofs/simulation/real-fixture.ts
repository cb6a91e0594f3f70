import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startRedis } from '../../support/redis-server.js'
import { redisFixture } from './redis-fixture.js'
import { SCRIPTS } from './sim-redis.js'
import type { Test } from 'tap'
import type { RedisScripter } from '../../../types/registry.js'
import type { Reply } from './redis-data.js'
import type { OnRun, RedisServer } from './sim-redis.js'
import type { AlarmTarget } from '../../../lib/common/clock.js'
import type { Process } from './timeline.js'
import type { Fixture, Link, Times } from './fixture.js'

/** Times short enough for a world to experience a lot, and long enough for a busy machine to keep. */
export const FAST_TIMES: Times = { lease: 900, heartbeat: 200, ttl: 1, skew: 1, patience: 300, clockError: 0 }

/** Provides the real time of this machine, and a Redis of its own. */
export async function realFixture (t: Test): Promise<Fixture> {
  // A change of the replication id looks like a fail-over from outside.
  const { port } = await startRedis(t, '--enable-debug-command', 'yes')
  const redis = new Redis(port, '127.0.0.1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const timeline = new RealTimeline()
  return redisFixture(FAST_TIMES, timeline, new RealRedis(redis, timeline))
}

class RealTimeline implements Pick<Fixture['timeline'], 'now' | 'clockOf' | 'flush' | 'advance' | 'afterEach'> {
  #waiting: Array<{ process: Process, fire: () => void }> = []
  afterEach = () => {}

  get now (): number {
    return Date.now()
  }

  clockOf (process: Process) {
    return {
      monotonic: () => performance.now(),
      wall: () => Date.now() + process.wallOffset,
      after: (ms: number, fire: () => void) => {
        let isCancelled = false
        const timer = setTimeout(() => this.#fire(process, () => isCancelled || fire()), ms).unref()
        return () => {
          isCancelled = true
          clearTimeout(timer)
        }
      },
      alarm (ms: number, target: AlarmTarget) {
        return { due: this.monotonic() + ms, cancel: this.after(ms, () => target.fire(false)) }
      },
      endOfTurn: (fire: () => void) => { setImmediate(() => this.#fire(process, fire)) }
    }
  }

  #fire (process: Process, fire: () => void): void {
    if (process.isDead) return
    if (process.isPaused) this.#waiting.push({ process, fire })
    else fire()
  }

  async flush (): Promise<void> {
    await sleep(5)
    this.#look()
  }

  async advance (ms: number): Promise<void> {
    const endsAt = performance.now() + ms
    do {
      await sleep(Math.min(10, Math.max(0, endsAt - performance.now())))
      this.#look()
    } while (performance.now() < endsAt)
  }

  #look (): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { process, fire } of waiting) this.#fire(process, fire)
    this.afterEach()
  }
}

class RealRedis implements RedisServer {
  readonly #redis: Redis
  readonly #timeline: RealTimeline
  #late: Array<() => void> = []
  isAway = false
  onRun: OnRun = () => {}

  constructor (redis: Redis, timeline: RealTimeline) {
    this.#redis = redis
    this.#timeline = timeline
  }

  get late (): number {
    return this.#late.length
  }

  clientOf (process: Process, link: Link): RedisScripter {
    const send = async (sha1: string, count: number, given: string[]) =>
      await new Promise((resolve, reject) => {
        this.#send(process, link, async () => await this.#run(sha1, count, given), resolve, reject)
      })
    return {
      status: 'ready',
      evalsha: async (sha1, count, ...given) => await send(sha1, count, given.map(String)),
      eval: async () => { throw new Error('every script is known here') }
    }
  }

  #send (
    process: Process,
    link: Link,
    run: () => Promise<unknown>,
    resolve: (reply: unknown) => void,
    reject: (error: unknown) => void
  ): void {
    const fate = link.next
    link.next = undefined
    const isCut = () => this.isAway || link.isCut
    const deliver = (settle: () => void) => {
      if (process.isPaused) this.#late.push(() => deliver(settle))
      else if (!process.isDead) settle()
    }
    const arrive = () => {
      if (isCut()) reject(new Error('ECONNRESET'))
      else run().then((reply) => deliver(() => resolve(reply)), (error) => deliver(() => reject(error)))
    }
    if (isCut() && link.cutMode === 'refuse') reject(new Error('ECONNREFUSED'))
    else if (isCut() || fate === 'late') this.#late.push(arrive)
    else if (fate === 'answered late') {
      const answered = run()
      answered.catch(() => {})
      this.#late.push(() => { answered.then((reply) => deliver(() => resolve(reply)), reject) })
    } else arrive()
  }

  async #run (sha1: string, count: number, given: string[]): Promise<unknown> {
    const { name = '', text = '' } = SCRIPTS.get(sha1) ?? {}
    const reply = await this.#redis.eval(text, count, ...given)
    // Our scripts return no other types.
    this.onRun(name, given.slice(0, count), given.slice(count), reply as Reply)
    return reply
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
    await this.#redis.hset('{cobrowse}:meta', 'epoch', 'an-epoch-of-22-letters')
  }

  async wipe (): Promise<void> {
    await this.#redis.flushall()
  }

  async failOver (lostMs: number): Promise<void> {
    await this.#timeline.advance(lostMs)
    await this.#redis.call('DEBUG', 'CHANGE-REPL-ID')
  }
}
