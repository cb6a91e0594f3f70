import { createRedisRegistry } from '../../../lib/registry/redis.js'
import { pick } from './commands.js'
import { SimRedis } from './sim-redis.js'
import { Timeline } from './timeline.js'
import { DEFAULT_TIMES } from './fixture.js'
import type { Judge } from './judge.js'
import type { Reply } from './redis-data.js'
import type { OnRun, RedisServer } from './sim-redis.js'
import type { Fixture, Times } from './fixture.js'

/** Number of the arguments that all scripts have. */
const COMMON_ARGS = 5
/** Number of the arguments of BEAT, with those, before its claims. */
const BEAT_ARGS = COMMON_ARGS + 4

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
      judge.bound(room, member, Number(now))
      if (!judge.lives(member, Number(now))) judge.breaks('I3', `${member} is chosen although it was declared dead`)
    }
  }

  function noteHolders (rooms: string[], member: string, [outcome, now, , claims]: Reply[]): void {
    if (outcome !== 'ok' || !Array.isArray(claims)) return
    for (const [at, room] of rooms.entries()) {
      if (claims[at * 2] !== 'ok') continue
      judge.bound(room, member, Number(now))
      judge.claimed(room)
    }
  }

  function noteMoved (room: string, [outcome, id]: Reply[]): void {
    if (outcome !== 'moving' && outcome !== 'moved') return
    judge.moved(room, String(id), { at: timeline.now, mustWait: outcome === 'moving' })
  }

  /** Notes the ends that a node acknowledges: keys and moments, in turn. */
  function noteAcknowledged (id: string, acknowledged: string[]): void {
    for (let at = 0; at + 1 < acknowledged.length; at += 2) {
      judge.moves.acknowledged(acknowledged[at] ?? '', id, timeline.now, Number(acknowledged[at + 1]))
    }
  }

  return (name, keys, args, reply) => {
    judge.told?.(() => `${name} ${args.slice(COMMON_ARGS).join(' ').slice(0, 60)} -> ${JSON.stringify(reply).slice(0, 130)}`)
    const { now } = timeline
    const rooms = keys.filter((key) => key.includes(':room:'))
    const [room = ''] = rooms
    if (!Array.isArray(reply)) {
      if (name === 'END' && reply === 'ok') judge.callEnded(room, now)
      if (name === 'RELEASE' && reply === 1) judge.unclaimed(room)
      if (name === 'LEAVE') for (const member of args.slice(COMMON_ARGS)) judge.promise(member, now)
      return
    }
    if (name === 'ASSIGN') return noteAssigned(rooms, reply)
    if (name === 'MOVE') return noteMoved(room, reply)
    const member = String(args[COMMON_ARGS])
    // Times by the store's own clock.
    const at = Number(reply[1])
    if (name === 'REGISTER' && reply[0] === 'ok') judge.displaceOthers(member, at)
    if ((name === 'REGISTER' || name === 'BEAT') && reply[0] === 'ok') judge.promise(member, at + lease)
    if (name === 'BEAT' && reply[0] === 'ok') noteAcknowledged(idOf(member), args.slice(BEAT_ARGS + 2 * rooms.length))
    noteHolders(rooms, member, reply)
  }
}

function idOf (member: string): string {
  return member.split('|')[0] ?? ''
}
