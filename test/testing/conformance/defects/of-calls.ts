import { BEAT } from '../../../../lib/registry/redis/scripts/node.js'
import { changing, isAnswer } from './changes.js'
import type { BrokenNode } from '../start-node.js'

export const OF_CALLS: Record<string, BrokenNode> = {
  'waits for its next heartbeat after an answer full of ends': {
    breaks: { 'call-ended-many': /it took \d+ ms for 10 full answers/ },
    redis: changing({
      hear (answer, { script }) {
        if (script !== BEAT || !isAnswer(answer, 'ok')) return answer
        const [, , ends] = answer
        // The kit sends the next heartbeat at once after 1,000 ends.
        return Array.isArray(ends) ? answer.with(2, ends.slice(0, 2 * 999)) : answer
      }
    })
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
