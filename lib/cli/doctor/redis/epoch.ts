import { ok, warning } from '../finding.js'
import { readTime } from './clock.js'
import type { Redis } from 'ioredis'
import type { Finding } from '../finding.js'

/** Milliseconds. */
export interface ExpectedTimes {
  lease: number
  heartbeat: number
  linger: number
}

export interface RegistryMeta {
  epoch: string | undefined
  /** Milliseconds since the epoch of Unix, as `now`. */
  settledAt: number
  /** By the clock of the store. */
  now: number
  /** Times in force. */
  times: ExpectedTimes | undefined
}

/** Reads what the scripts keep. Reading by a script could begin an epoch. */
export async function readMeta (redis: Redis, prefix: string): Promise<RegistryMeta> {
  const [fields, now] = await Promise.all([
    redis.hmget(`${prefix}:meta`, 'epoch', 'settledAt', 'times'), readTime(redis)
  ])
  const [epoch, settledAt, times] = fields
  return { epoch: epoch ?? undefined, settledAt: Number(settledAt ?? 0), now, times: parseTimes(times) }
}

function parseTimes (text: string | null | undefined): ExpectedTimes | undefined {
  const [, lease, heartbeat, linger] = /^(\d+) (\d+) (\d+)$/.exec(text ?? '') ?? []
  if (linger === undefined) return undefined
  return { lease: Number(lease), heartbeat: Number(heartbeat), linger: Number(linger) }
}

export function judgeEpoch ({ epoch, settledAt, now }: RegistryMeta): Finding {
  if (epoch === undefined) {
    return warning('epoch', 'there is none: no gateway or node uses this prefix, or the store was emptied just now',
      'are the store and --prefix those of the gateways?')
  }
  const left = Math.ceil((settledAt - now) / 1000)
  if (left <= 0) return ok('epoch', 'present, and settled')
  return warning('epoch', `the store lost its memory, and settles: new rooms wait for ${left} s`,
    'wait; if it comes back, see CobrowseRegistrySettling in docs/runbook.md')
}

export function judgeTimes ({ times }: RegistryMeta, expected: ExpectedTimes): Finding {
  if (times === undefined) {
    return warning('times', 'none are in force', 'are the store and --prefix those of the gateways?')
  }
  const text = `lease ${times.lease} ms, heartbeat ${times.heartbeat} ms, linger ${times.linger / 1000} s`
  const names = (['lease', 'heartbeat', 'linger'] as const).filter((name) => times[name] !== expected[name])
  if (names.length === 0) return ok('times', text)
  return warning('times', `${text}: not as expected (${names.join(', ')})`,
    `give all processes the same times; if these are right, give ${names.map((name) => `--${name}`).join(', ')} here`)
}
