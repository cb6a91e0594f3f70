import { notChecked, ok, warning } from '../finding.js'
import type { Redis } from 'ioredis'
import type { Finding } from '../finding.js'

const MAX_DIFFERENCE_MS = 1000

/** Compares the clock of Redis, which dates leases and signatures, with that of this machine. */
export async function checkClock (redis: Redis): Promise<Finding[]> {
  const startedAt = Date.now()
  const now = await readTime(redis)
  const endedAt = Date.now()
  // Redis read its clock at some moment in between.
  const ahead = now > endedAt ? now - endedAt : Math.min(0, now - startedAt)
  const ofNodes = notChecked('clocks of nodes', 'nodes write no time, and need none: all times are those of the store')
  return [judgeClock(ahead), ofNodes]
}

/** @param ahead milliseconds by which the store is ahead of this machine */
export function judgeClock (ahead: number): Finding {
  const seconds = (Math.abs(ahead) / 1000).toFixed(1)
  if (Math.abs(ahead) <= MAX_DIFFERENCE_MS) return ok('clock', `the store and this machine differ by ${seconds} s`)
  const where = ahead > 0 ? 'ahead of' : 'behind'
  return warning('clock', `the store is ${seconds} s ${where} this machine: times in logs do not fit together`,
    'let NTP set both clocks')
}

/** @returns milliseconds since the epoch */
export async function readTime (redis: Redis): Promise<number> {
  const [seconds = 0, microseconds = 0] = (await redis.time()).map(Number)
  return seconds * 1000 + Math.floor(microseconds / 1000)
}
