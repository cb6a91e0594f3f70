import { createServer } from 'node:http'
import { roomName } from '../../lib/registry/room-name.js'
import { BEAT, REGISTER } from '../../lib/registry/redis-node-scripts.js'
import { createRedisStore } from '../../lib/registry/redis-client.js'
import { verifySignature } from '../../lib/signature.js'
import { freshId, putTogether, takeApart } from '../../lib/testing/forge.js'
import { SIGNING, TIMES } from './start-node.js'
import type { RoomKey } from '../../types/registry.js'
import type { Defect } from './start-node.js'

interface BrokenNode extends Defect {
  /** Ids of the rules that it breaks, and no others. */
  breaks: string[]
}

const LEASED_KEYS = 6
/** Of the scripts' arguments, behind the keys. */
const MEMBER = 5
const RECORD = 6

/** A registry whose node does not hear of something. */
const deafTo = (event: string): Required<Defect>['membership'] => (good) => ({
  on: (heard, listener) => { if (heard !== event) good.on(heard, listener) }
})

const toAscii = ({ tenant, room }: RoomKey) =>
  ({ tenant: tenant.replaceAll(/\P{ASCII}/gu, '?'), room: room.replaceAll(/\P{ASCII}/gu, '?') })

/** Kit nodes that went wrong in one place. */
export const BROKEN: Record<string, BrokenNode> = {
  'does not check the MAC': {
    breaks: ['signature-forged', 'signature-key', 'signature-canonical'],
    verify: (good) => async (signature, at) => {
      const [key = { id: '', secret: '' }] = SIGNING.keys
      return await good(putTogether(takeApart(signature), key), at)
    }
  },
  'does not look at exp': {
    breaks: ['signature-expired'],
    verify: (good) => async (signature, at) => {
      const exp = Number(takeApart(signature).claims.exp)
      const claims = await good(signature, { ...at, now: Math.min(at.now, exp * 1000 - 1) })
      return { ...claims, expiresAt: Math.max(exp, Math.ceil(at.now / 1000) + 5) }
    }
  },
  'allows for no skew': {
    breaks: ['signature-skew'],
    verify: (good) => async (signature, at) => {
      const claims = await good(signature, at)
      if (claims.expiresAt * 1000 <= at.now) throw new TypeError('expired')
      return claims
    }
  },
  'does not look at aud': {
    breaks: ['signature-audience', 'signature-incarnation', 'lapse-old-signature'],
    verify: (good) => async (signature, at) => {
      const { header, claims } = takeApart(signature)
      if (header.typ !== 'cobrowse+jwt') return await good(signature, at)
      const [id = '', incarnation = ''] = String(claims.aud).split('/')
      return { ...await good(signature, { ...at, node: { id, incarnation } }), incarnation: at.node.incarnation }
    }
  },
  'accepts a signature twice': {
    breaks: ['once', 'once-at-once', 'join-only-open'],
    verify: (good) => async (signature, at) => ({ ...await good(signature, at), id: freshId() })
  },
  'knows no join-only signatures': {
    breaks: ['join-only-shut', 'join-only-open', 'cut-join-only'],
    verify: () => async (signature, at) => await verifySignature(signature, { ...SIGNING, ...at })
  },
  'opens a room for a join-only signature': {
    breaks: ['join-only-shut'],
    verify: (good, membership) => async (signature, at) => {
      const claims = await good(signature, at)
      return { ...claims, joinOnly: claims.joinOnly && membership()?.valid() !== true }
    }
  },
  'does not claim': {
    breaks: ['claims', 'room-key', 'elsewhere', 'epoch-writes', 'cut-unanswered'],
    membership: (good) => ({
      claim: async () => good.valid() ? 'ok' : 'lapsed',
      holds: () => good.valid()
    })
  },
  'takes "elsewhere" for "ok"': {
    breaks: ['elsewhere'],
    membership (good) {
      const taken = new Set<string>()
      return {
        async claim (room, options) {
          const result = await good.claim(room, options)
          if (result !== 'elsewhere') return result
          taken.add(roomName(room))
          return 'ok'
        },
        holds: (room) => good.holds(room) || (good.valid() && taken.has(roomName(room)))
      }
    }
  },
  'makes the key of a room from ASCII': {
    breaks: ['room-key'],
    membership: (good) => ({
      claim: async (room, options) => await good.claim(toAscii(room), options),
      holds: (room) => good.holds(toAscii(room)),
      release: async (room) => await good.release(toAscii(room))
    })
  },
  'deletes the binding of an empty room': {
    breaks: ['releases'],
    membership: (good, { redis, prefix }) => ({
      async release (room) {
        const times = { ...TIMES, linger: TIMES.linger * 1000 }
        const [released] = await Promise.all([
          good.release(room), redis.del(createRedisStore({ redis, prefix, times }).room(room))
        ])
        return released
      }
    })
  },
  'ignores tenants': {
    breaks: ['tenants'],
    nameOf: ({ room }) => room
  },
  'answers the signature for a sub-protocol': {
    breaks: ['sub-protocol'],
    handleProtocols: (offered) => [...offered].at(-1) ?? false
  },
  'has a bad record': {
    breaks: ['record'],
    redis: (good) => ({
      async evalsha (sha1, keys, ...args) {
        const changed = [...args]
        if ([BEAT.sha1, REGISTER.sha1].includes(sha1)) changed[keys + RECORD] = String(args[keys + RECORD]).replace('}', ',"weight":0}')
        return await good.evalsha(sha1, keys, ...changed)
      }
    })
  },
  'ends when a socket resets': {
    breaks: ['resets'],
    endsAtReset: true
  },
  'ignores the end of a call': {
    breaks: ['call-ended'],
    membership: deafTo('released')
  },
  'forgets when a call ended': {
    breaks: ['call-ended-older'],
    membership: (good) => ({
      claim: async (room) => await good.claim(room),
      releasedAt: () => undefined
    })
  },
  'throws out everybody at a lapse': {
    breaks: ['lapse-keeps', 'cut-keeps'],
    membership (good) {
      const rooms = new Map<string, RoomKey>()
      let lose = (_room: RoomKey) => {}
      return {
        async claim (room, options) {
          rooms.set(roomName(room), room)
          return await good.claim(room, options)
        },
        on (event, listener) {
          good.on(event, listener)
          if (event === 'lost') lose = listener as typeof lose
          if (event === 'lapsed') good.on('lapsed', () => { for (const room of rooms.values()) lose(room) })
        }
      }
    }
  },
  'keeps the old incarnation': {
    breaks: ['lapse-registers', 'lapse-lost', 'cut-returns'],
    redis: (good, prefix) => ({
      async evalsha (sha1, keys, ...args) {
        const answer = await good.evalsha(sha1, keys, ...args)
        const [id = '', incarnation] = String(args[keys + MEMBER]).split('|')
        if (sha1 !== BEAT.sha1 || String(answer) !== 'lapsed') return answer
        const present = await good.hget(`${prefix}:ids`, id)
        if (present?.split('|')[0] !== incarnation) return answer
        await good.zadd(`${prefix}:leases`, Date.now() + TIMES.lease, `${id}|${incarnation}`)
        return await good.evalsha(sha1, keys, ...args)
      }
    })
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
        const isNews = sha1 === BEAT.sha1 && Array.isArray(answer) && answer[0] === 'epoch'
        return isNews ? ['ok', Date.now(), [], []] : answer
      }
    })
  },
  'claims nothing in a new epoch': {
    breaks: ['epoch-claims'],
    redis: (good) => ({
      evalsha: async (sha1, keys, ...args) => sha1 === REGISTER.sha1
        ? await good.evalsha(sha1, LEASED_KEYS, ...args.slice(0, LEASED_KEYS), ...args.slice(keys, keys + 10))
        : await good.evalsha(sha1, keys, ...args)
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
        good.on(event, listener)
        if (event !== 'replaced') return
        good.on('replaced', async () => await registry.join({ id: good.id, wssUrl: 'wss://again.invalid/' }))
      }
    })
  },
  'never answers': {
    breaks: ['admits'],
    serve: () => createServer().on('upgrade', () => {})
  },
  'answers with garbage': {
    breaks: ['admits'],
    serve: () => createServer().on('upgrade', (_request, socket) => socket.on('error', () => {}).end('\0garbage\r\n\r\n'))
  }
}
