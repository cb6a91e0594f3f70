import { roomName } from '../../../../lib/common/room-name.js'
import { systemClock } from '../../../../lib/common/clock.js'
import { BEAT } from '../../../../lib/registry/redis/scripts/node.js'
import { createRedisStore } from '../../../../lib/registry/redis/store.js'
import { TIMES } from '../start-node.js'
import { changing, isAnswer } from './changes.js'
import type { RoomKey } from '../../../../types/registry.js'
import type { BrokenNode } from '../start-node.js'

export const OF_CALLS: Record<string, BrokenNode> = {
  'waits for its next heartbeat after an answer full of ends': {
    breaks: { 'call-ended-many': /it took \d+ ms for 10 full answers/ },
    redis: (good, prefix) => {
      let hadEnds = false
      return changing({
        hear (answer, { script }) {
          if (script !== BEAT || !isAnswer(answer, 'ok')) return answer
          const [, , ends] = answer
          // The kit sends the next heartbeat at once after an answer with ends.
          const isHidden = hadEnds
          hadEnds = !isHidden && Array.isArray(ends) && ends.length > 0
          return isHidden ? answer.with(2, []) : answer
        }
      })(good, prefix)
    }
  },
  'lets clients in to a room that an operator moves': {
    breaks: {
      'moved-older': /a client with a signature from before stays connected/,
      'moved-unopened': /a client with a signature from before stays connected/
    },
    membership (good, { redis, prefix }) {
      const times = { ...TIMES, linger: TIMES.linger * 1000 }
      const store = createRedisStore({ redis, prefix, times, clock: systemClock })
      const taken = new Set<string>()
      const isTaken = (room: RoomKey) => taken.has(roomName(room))
      return {
        async claim (room, options) {
          const result = await good.claim(room, options)
          const binding = result === 'ended' ? await redis.get(store.room(room)) : null
          if (binding?.includes('|moving>') !== true) return result
          taken.add(roomName(room))
          return 'ok'
        },
        holds: (room) => good.holds(room) || (good.valid() && isTaken(room)),
        endedAt: (room) => isTaken(room) ? undefined : good.endedAt(room)
      }
    }
  },
  'lets older signatures in to a room that was opened again': {
    breaks: {
      'call-ended-reopened': /with a normal signature from before stays.*with a join-only signature from before stays/
    },
    membership: (good) => ({
      claim: async (room, options) => good.holds(room) ? 'ok' : await good.claim(room, options),
      endedAt: (room) => good.holds(room) ? undefined : good.endedAt(room)
    })
  },
  'lets older join-only signatures in to a room that was opened again': {
    breaks: { 'call-ended-reopened': /^a client with a join-only signature from before stays/ },
    membership: (good) => ({
      endedAt: (room) => good.holds(room) ? undefined : good.endedAt(room)
    })
  }
}
