import { createRedisRegistry } from '../../../lib/registry/redis.js'
import { pick } from './commands.js'
import { SimRedis } from './sim-redis.js'
import { Timeline } from './timeline.js'
import { DEFAULT_TIMES } from './fixture.js'
import type { Judge } from './judge.js'
import type { Reply } from './redis-data.js'
import type { OnRun, RedisServer } from './sim-redis.js'
import type { Fixture, Times } from './fixture.js'

/** Index of the first room among the keys of a script. */
const FIRST_ROOM = 6

/** Faults with their weights. */
export const REDIS_FAULTS = { wipe: 2, failover: 2 }

export function simulatedRedisFixture (): Fixture {
  const timeline = new Timeline()
  return redisFixture(DEFAULT_TIMES, timeline, new SimRedis(timeline))
}

export function redisFixture (times: Times, timeline: Fixture['timeline'], redis: RedisServer): Fixture {
  const { lease, heartbeat, ttl, skew } = times
  return {
    times,
    timeline,
    store: redis,
    createRegistry: ({ process, link }) => createRedisRegistry(
      { redis: redis.clientOf(process, link), lease, heartbeat, linger: ttl + skew }, timeline.clockOf(process)
    ),
    faults: {
      async wipe ({ judge }) {
        await redis.wipe()
        judge.forgot()
        return true
      },
      async failover ({ judge }, _at, how) {
        await redis.failOver(pick([0, 100, 1500], how))
        judge.forgot()
        return true
      }
    },
    reportTo (judge) {
      redis.onRun = reporterTo(judge, timeline, lease)
    },
    // Dates by the store's clock, which is right.
    decidedAt: ({ issuedAt }) => issuedAt
  }
}

/** Reports the answers of scripts to the judge. */
function reporterTo (judge: Judge, timeline: Fixture['timeline'], lease: number): OnRun {
  function noteAssigned (rooms: string[], [now, , answers, named]: Reply[]): void {
    if (!Array.isArray(answers) || !Array.isArray(named)) return
    for (const [at, room] of rooms.entries()) {
      const outcome = answers[2 * at]
      if (outcome !== 'bound' && outcome !== 'chosen') continue
      const member = String(named[2 * Number(answers[2 * at + 1])])
      judge.bound(room, member)
      if (!judge.lives(member, Number(now))) judge.breaks('I3', `${member} is chosen although it was declared dead`)
    }
  }

  function noteHolders (rooms: string[], member: string, [outcome, , , claims]: Reply[]): void {
    if (outcome !== 'ok' || !Array.isArray(claims)) return
    for (const [at, room] of rooms.entries()) {
      if (claims[at * 2] !== 'ok') continue
      judge.bound(room, member)
      judge.claimed(room)
    }
  }

  return (name, keys, args, reply) => {
    judge.told?.(() => `${name} ${args.slice(5).join(' ').slice(0, 60)} -> ${JSON.stringify(reply).slice(0, 130)}`)
    const { now } = timeline
    if (!Array.isArray(reply)) {
      if (name === 'END' && reply === 'ok') judge.callEnded(keys[FIRST_ROOM] ?? '', now)
      if (name === 'RELEASE' && reply === 1) judge.unclaimed(keys[FIRST_ROOM] ?? '')
      if (name === 'LEAVE') for (const member of args.slice(5)) judge.promise(member, now)
      return
    }
    if (name === 'ASSIGN') return noteAssigned(keys.slice(FIRST_ROOM), reply)
    const member = String(args[5])
    // Times by the store's own clock.
    const at = Number(reply[1])
    if (name === 'REGISTER' && reply[0] === 'ok') judge.displaceOthers(member, at)
    if ((name === 'REGISTER' || name === 'BEAT') && reply[0] === 'ok') judge.promise(member, at + lease)
    noteHolders(keys.slice(FIRST_ROOM), member, reply)
  }
}
