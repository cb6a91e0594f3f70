import * as nodeScripts from '../../../../lib/registry/redis/scripts/node.js'
import { BEAT, REGISTER } from '../../../../lib/registry/redis/scripts/node.js'
import { roomName } from '../../../../lib/common/room-name.js'
import { ARGUMENT, PATIENCE, TIMES } from '../start-node.js'
import { changing, isAnswer, put } from './changes.js'
import type { Redis } from 'ioredis'
import type { Script } from '../../../../lib/registry/redis/scripts/prelude.js'
import type { BrokenNode, Defect } from '../start-node.js'

/** Nodes that lapsed by their own clocks, by their clients of the store. */
const lapsed = new WeakSet<Redis>()

/** Takes an answer of the store to a registration for a reason to stop. */
const givingUp = (isFatal: (incarnation: string) => boolean): Required<Defect>['redis'] => (good) => {
  let hasGivenUp = false
  return {
    async evalsha (sha1, keys, ...args) {
      if (hasGivenUp) throw new Error('given up')
      const answer = await good.evalsha(sha1, keys, ...args)
      if (sha1 === REGISTER.sha1 && isAnswer(answer, 'present') && isFatal(String(answer[1]))) {
        hasGivenUp = true
        throw new Error('given up')
      }
      return answer
    }
  }
}

/** Registers under two incarnations by turns, and translates them for the kit, which makes new ones. */
function alternating (): Pick<Defect, 'redis' | 'verify'> {
  const two = ['a'.repeat(22), 'b'.repeat(22)]
  const known = new Map<string, string>()
  const shown = (incarnation: string) => {
    const name = known.get(incarnation) ?? two[known.size % 2] ?? ''
    known.set(incarnation, name)
    return name
  }
  const shownMember = (member: string) => member.replace(/[^|]+$/, shown)
  return {
    redis: (good) => ({
      evalsha: async (sha1, keys, ...args) => await good.evalsha(sha1, keys, ...args.map((arg, at) => {
        if (at <= keys || typeof arg !== 'string') return arg
        if (/^node\|[\w-]{22}$/.test(arg)) return shownMember(arg)
        return known.get(arg) ?? arg
      }))
    }),
    verify: (good) => async (signature, at) => {
      const { incarnation } = at.node
      const claims = await good(signature, { ...at, node: { ...at.node, incarnation: shown(incarnation) } })
      const isOwn = claims.knownIncarnation === shown(incarnation)
      return { ...claims, ...claims.joinOnly ? isOwn && { knownIncarnation: incarnation } : { incarnation } }
    }
  }
}

/** Forgets rooms that all clients left while the lease was expired. */
function forgettingEmpty (): Pick<Defect, 'verify' | 'left'> {
  const [admitted, gone] = [new Map<string, number>(), new Map<string, number>()]
  return {
    verify: (good, membership) => async (signature, at) => {
      const claims = await good(signature, at)
      const name = roomName(claims)
      const isEmpty = (gone.get(name) ?? 0) >= (admitted.get(name) ?? 0)
      if (claims.joinOnly && isEmpty && membership()?.valid() === false) throw new TypeError('no room')
      admitted.set(name, (admitted.get(name) ?? 0) + 1)
      return claims
    },
    left: (seat) => { gone.set(roomName(seat), (gone.get(roomName(seat)) ?? 0) + 1) }
  }
}

/** Takes every second replayer of a room for a recorder. */
function countingClients (): Pick<Defect, 'verify'> {
  const replayers = new Map<string, number>()
  return {
    verify: (good) => async (signature, at) => {
      const claims = await good(signature, at)
      if (claims.role === 'recorder') return claims
      const count = (replayers.get(roomName(claims)) ?? 0) + 1
      replayers.set(roomName(claims), count)
      return { ...claims, role: count % 2 === 0 ? 'recorder' : 'replayer' }
    }
  }
}

/** Ignores the incarnation that a gateway knows, in the process that is started again. */
function forgettingKnown (isForgotten: (known: string | undefined, own: string) => boolean): Required<Defect>['verify'] {
  let starts = 0
  return (good) => {
    const isFirst = ++starts === 1
    return async (signature, at) => {
      const claims = await good(signature, at)
      const { knownIncarnation, ...others } = claims
      return isFirst || !isForgotten(knownIncarnation, at.node.incarnation) ? claims : others
    }
  }
}

export const OF_RETURNS: Record<string, BrokenNode> = {
  'sends no EVAL after NOSCRIPT': {
    breaks: { noscript: /heartbeats have stopped.*next client was.*did not release/ },
    redis (good) {
      const scripts = Object.values<Script>({ ...nodeScripts })
      const loaded = Promise.all(scripts.map(async ({ text }) => await good.script('LOAD', text)))
      return {
        async evalsha (...call) {
          await loaded
          return await good.evalsha(...call)
        },
        eval: async () => { throw new Error('not sent') }
      }
    }
  },
  'registers a new incarnation in a new epoch': {
    breaks: {
      'epoch-claims': /the binding is not there/,
      'epoch-registers': /it took another incarnation although its lease was valid/
    },
    redis: changing({
      hear: (answer, { script }) => script === BEAT && isAnswer(answer, 'epoch') ? ['lapsed'] : answer
    })
  },
  'never opens a door again that a lapse has shut': {
    breaks: {
      'cut-continues': /a client with a new signature was closed with 4410/,
      'lapse-opens': /a client with a new signature was closed with 4410/
    },
    membership (good) {
      const [rooms, shut] = [new Set<string>(), new Set<string>()]
      good.on('lapsed', () => { for (const name of rooms) shut.add(name) })
      return {
        async claim (room, options) {
          rooms.add(roomName(room))
          return shut.has(roomName(room)) ? 'lapsed' : await good.claim(room, options)
        },
        holds: (room) => !shut.has(roomName(room)) && good.holds(room)
      }
    }
  },
  'stops when the store has forgotten its id': {
    breaks: { 'forgotten-registers': /it has not registered again within/ },
    redis: givingUp((incarnation) => incarnation === '')
  },
  'does not start when an earlier process has its id': {
    breaks: { restarts: /it has not registered again/ },
    redis: givingUp((incarnation) => incarnation !== '')
  },
  'alternates between two incarnations': {
    breaks: { 'incarnation-new': /it had the incarnation aaaaaaaaaaaaaaaaaaaaaa before/ },
    ...alternating()
  },
  'takes the whole of its lease': {
    breaks: { 'cut-margin': /before the end of its lease, a client stays/ },
    times: { lease: Math.round(TIMES.lease * 12 / 11) },
    redis: (good) => ({
      evalsha: async (sha1, keys, ...args) =>
        await good.evalsha(sha1, keys, ...put(args, keys + ARGUMENT.lease, TIMES.lease))
    })
  },
  'closes a client alone behind a shut door too early': {
    breaks: { 'cut-patience': /the recorder was closed with 4410/ },
    settings: { patience: PATIENCE / 5 }
  },
  'counts clients behind a shut door, and not sides': {
    breaks: { 'cut-lone': /a replayer without a recorder stays connected/ },
    ...countingClients()
  },
  'forgets a room that all clients left behind a shut door': {
    breaks: { 'cut-join-only-empty': /the recorder that came back was closed with 4401/ },
    ...forgettingEmpty()
  },
  'registers again after every lapse by its own clocks': {
    breaks: { 'cut-continues': /it registered again although the store still had its lease/ },
    membership (good, { redis }) {
      good.on('lapsed', () => lapsed.add(redis))
      return {}
    },
    redis: (good) => changing({
      hear (answer, { script }) {
        if (script === REGISTER && isAnswer(answer, 'ok')) lapsed.delete(good)
        return script === BEAT && isAnswer(answer, 'ok') && lapsed.has(good) ? ['lapsed'] : answer
      }
    })(good, '')
  },
  'does not read which incarnation a gateway knows': {
    breaks: {
      'join-only-before': /names the process before stays connected/,
      'join-only-first-second': /from the second of the start was closed/
    },
    verify: forgettingKnown(() => true)
  },
  'refuses join-only signatures from the second of its start': {
    breaks: { 'join-only-first-second': /from the second of the start was closed/ },
    verify: forgettingKnown((known, own) => known === own)
  }
}
