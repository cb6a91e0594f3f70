import { BEAT, CLAIM_ROOMS, REGISTER } from '../../../../lib/registry/redis/scripts/node.js'
import { isAnswer } from './changes.js'
import { roomName } from '../../../../lib/common/room-name.js'
import { ARGUMENT, COMMON_KEYS, deafTo, TIMES } from '../start-node.js'
import type { Redis } from 'ioredis'
import type { BrokenNode, Defect } from '../start-node.js'
import type { Membership, RedisScripter, RoomKey } from '../../../../types/registry.js'

/** Kinds of claims. */
const [SHUT, OPEN] = ['1', '2']

interface Omission {
  /** Position of the first claim, of each script that is sent without claims. */
  first?: Map<string, number>
  /** Whether these scripts are sent without claims of this kind. */
  isMeant? (kind: string, rooms: number): boolean
  /** Whether no open room is claimed in turn by a registration of this name. */
  isSilent? (member: string): boolean
}

/** Replaces the scripts so that open rooms are not claimed again. */
export const withoutRooms = (
  { first: firstClaim = new Map<string, number>(), isMeant = () => true, isSilent = () => true }: Omission
) => (good: Redis): Partial<RedisScripter> => ({
  async evalsha (sha1, keys, ...args) {
    const isInTurn = sha1 === CLAIM_ROOMS.sha1 && String(args[keys + ARGUMENT.kindOfClaim]) === OPEN &&
      isSilent(String(args[keys + ARGUMENT.member]))
    const end = isInTurn ? ARGUMENT.claim : firstClaim.get(sha1)
    const isKept = !isInTurn && firstClaim.has(sha1) && !isMeant(String(args[keys + ARGUMENT.kind]), keys - COMMON_KEYS)
    if (end === undefined || isKept) return await good.evalsha(sha1, keys, ...args)
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
    breaks: {
      'cut-keeps': /cut off, the recorder was closed with 4410/,
      'cut-patience': /the recorder was closed with 4410/,
      'lapse-keeps': /the recorder was closed with 4410/,
      'yield-keeps': /the recorder was closed with 4410/
    },
    membership (good, store) {
      good.on('lapsed', () => throwOut.get(store.redis)?.())
      return losing(good, store)
    }
  },
  'keeps the old incarnation': {
    breaks: {
      'cut-returns': /the old incarnation was revived/,
      'lapse-registers': /the old incarnation was revived/
    },
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
    breaks: {
      'claims-in-turn': /an evicted binding is not back/,
      'claims-in-turn-elsewhere': /somebody inside stays connected/,
      'claims-in-turn-ended': /somebody inside stays connected/,
      'cut-lost': /somebody inside stays connected/,
      'cut-returns': /the binding is .*\|claimed\|/,
      'epoch-claims': /the binding is not there/,
      'lapse-claims': /the binding is .*\|claimed\|/,
      'lapse-ended': /somebody inside stays connected/,
      'lapse-lost': /somebody inside stays connected/,
      'unreadable-open': /did not replace the binding/,
      'yield-claims': /after the settling, the binding is not there/
    },
    redis: withoutRooms({
      first: new Map([[REGISTER.sha1, ARGUMENT.claimToRegister], [BEAT.sha1, ARGUMENT.claimToBeat]])
    })
  },
  'does not hear that a room is lost': {
    breaks: {
      'claims-in-turn-elsewhere': /somebody inside stays connected/,
      'cut-lost': /somebody inside stays connected/,
      'lapse-lost': /somebody inside stays connected/
    },
    membership: deafTo('lost')
  },
  'ignores a new epoch': {
    breaks: { 'epoch-registers': /it has not registered again within/ },
    redis: (good) => ({
      async evalsha (sha1, keys, ...args) {
        const answer = await good.evalsha(sha1, keys, ...args)
        return sha1 === BEAT.sha1 && isAnswer(answer, 'epoch') ? ['ok', Date.now(), [], []] : answer
      }
    })
  },
  'does not claim its rooms in the call that registers a new incarnation': {
    breaks: { 'lapse-claims': /the binding is .*\|claimed\|/ },
    redis: withoutRooms({
      first: new Map([[REGISTER.sha1, ARGUMENT.claimToRegister]]),
      isMeant: (kind) => kind === SHUT,
      isSilent: () => false
    })
  },
  'claims nothing in a new epoch': {
    breaks: { 'epoch-claims': /the binding is not there/ },
    redis (good) {
      let hasBegun = false
      const isMeant = (kind: string, rooms: number) => {
        hasBegun ||= kind === OPEN && rooms > 0
        return kind === OPEN
      }
      const first = new Map([[REGISTER.sha1, ARGUMENT.claimToRegister]])
      return withoutRooms({ first, isMeant, isSilent: () => hasBegun })(good)
    }
  },
  'disconnects all clients in a new epoch': {
    breaks: { 'epoch-keeps': /the recorder was closed with 4410/ },
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
    breaks: {
      'cut-margin': /before the end of its lease, a client stays/,
      'cut-refuses': /a client of a room that is open stays connected/
    },
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
    breaks: { 'cut-lone': /a recorder alone in its room stays connected/ },
    settings: { patience: 600_000 }
  },
  'goes on when another process has its id': {
    breaks: {
      'displaced-closes': /somebody inside stays connected/,
      'displaced-refuses': /a client with a join-only signature stays connected/
    },
    membership: deafTo('replaced')
  },
  'takes its id back': {
    breaks: { 'displaced-stays-away': /it registered again, and took the id from the other process/ },
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
