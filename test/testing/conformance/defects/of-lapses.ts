import { BEAT, CLAIM_ROOMS, REGISTER } from '../../../../lib/registry/redis/scripts/node.js'
import { roomName } from '../../../../lib/common/room-name.js'
import { ARGUMENT, COMMON_KEYS, deafTo, TIMES } from '../start-node.js'
import type { Redis } from 'ioredis'
import type { BrokenNode, Defect } from '../start-node.js'
import type { Membership, RedisScripter, RoomKey } from '../../../../types/registry.js'

/** Kind of a claim made in turn. */
const OPEN = '2'

const isAnswer = (answer: unknown, word: string) => Array.isArray(answer) && answer[0] === word

/** Replaces the scripts so that no open room is claimed again, neither at once nor in turn after a heartbeat. */
const withoutRooms = (firstClaim: Map<string, number>) => (good: Redis): Partial<RedisScripter> => ({
  async evalsha (sha1, keys, ...args) {
    const isInTurn = sha1 === CLAIM_ROOMS.sha1 && String(args[keys + ARGUMENT.kindOfClaim]) === OPEN
    const end = isInTurn ? ARGUMENT.claim : firstClaim.get(sha1)
    if (end === undefined) return await good.evalsha(sha1, keys, ...args)
    // Each room has a number and a date.
    const afterClaims = keys + end + 2 * (keys - COMMON_KEYS)
    return await good.evalsha(
      sha1, COMMON_KEYS, ...args.slice(0, COMMON_KEYS), ...args.slice(keys, keys + end), ...args.slice(afterClaims))
  }
})

const throwOut = new WeakMap<Redis, () => void>()

/** Remembers how to lose all rooms of a node. */
const losing: Required<Defect>['membership'] = (good, { redis }): Partial<Membership> => {
  const rooms = new Map<string, RoomKey>()
  return {
    async claim (room, options) {
      rooms.set(roomName(room), room)
      return await good.claim(room, options)
    },
    on (event, listener) {
      const off = good.on(event, listener)
      if (event !== 'lost') return off
      // Listeners of "lost" get a room.
      const lose = listener as (room: RoomKey) => void
      throwOut.set(redis, () => { for (const room of rooms.values()) lose(room) })
      return off
    }
  }
}

export const OF_LAPSES: Record<string, BrokenNode> = {
  'disconnects all clients at a lapse': {
    breaks: ['lapse-keeps', 'cut-keeps'],
    membership (good, store) {
      good.on('lapsed', () => throwOut.get(store.redis)?.())
      return losing(good, store)
    }
  },
  'keeps the old incarnation': {
    breaks: ['lapse-registers', 'cut-returns'],
    redis: (good, prefix) => ({
      async evalsha (sha1, keys, ...args) {
        const answer = await good.evalsha(sha1, keys, ...args)
        if (sha1 !== BEAT.sha1 || !isAnswer(answer, 'lapsed')) return answer
        const [id = '', incarnation] = String(args[keys + ARGUMENT.member]).split('|')
        const present = await good.hget(`${prefix}:ids`, id)
        if (present?.split('|')[0] !== incarnation) return answer
        await good.zadd(`${prefix}:leases`, Date.now() + TIMES.lease, `${id}|${incarnation}`)
        return await good.evalsha(sha1, keys, ...args)
      }
    })
  },
  'claims no room again': {
    breaks: ['lapse-claims', 'lapse-lost', 'epoch-claims', 'cut-returns', 'cut-lost'],
    redis: withoutRooms(new Map([[REGISTER.sha1, ARGUMENT.claimToRegister], [BEAT.sha1, ARGUMENT.claimToBeat]]))
  },
  'does not hear that a room is lost': {
    breaks: ['lapse-lost', 'cut-lost'],
    membership: deafTo('lost')
  },
  'ignores a new epoch': {
    breaks: ['epoch-registers'],
    redis: (good) => ({
      async evalsha (sha1, keys, ...args) {
        const answer = await good.evalsha(sha1, keys, ...args)
        return sha1 === BEAT.sha1 && isAnswer(answer, 'epoch') ? ['ok', Date.now(), [], []] : answer
      }
    })
  },
  'claims nothing in a new epoch': {
    breaks: ['epoch-claims'],
    redis: withoutRooms(new Map([[REGISTER.sha1, ARGUMENT.claimToRegister]]))
  },
  'disconnects all clients in a new epoch': {
    breaks: ['epoch-keeps'],
    membership: losing,
    redis: (good) => ({
      async evalsha (sha1, keys, ...args) {
        const answer = await good.evalsha(sha1, keys, ...args)
        if (sha1 === BEAT.sha1 && isAnswer(answer, 'epoch')) throwOut.get(good)?.()
        return answer
      }
    })
  },
  'lets clients in while it is cut off': {
    breaks: ['cut-refuses'],
    membership (good) {
      let isJustClaimed = false
      return {
        async claim (room, options) {
          const result = await good.claim(room, options)
          isJustClaimed = result === 'lapsed'
          return isJustClaimed ? 'ok' : result
        },
        holds (room) {
          const isTrusted = isJustClaimed
          isJustClaimed = false
          return isTrusted || good.holds(room)
        }
      }
    }
  },
  'keeps a client alone behind a shut door': {
    breaks: ['cut-lone'],
    settings: { patience: 600_000 }
  },
  'goes on when another process has its id': {
    breaks: ['displaced-closes', 'displaced-refuses'],
    membership: deafTo('replaced')
  },
  'takes its id back': {
    breaks: ['displaced-stays-away'],
    membership: (good, { registry }) => ({
      on (event, listener) {
        const off = good.on(event, listener)
        if (event !== 'replaced') return off
        good.on('replaced', async () => await registry.join({ id: good.id, wssUrl: 'wss://again.invalid/' }))
        return off
      }
    })
  }
}
