import { createServer } from 'node:http'
import { systemClock } from '../../../../lib/common/clock.js'
import { createRedisStore } from '../../../../lib/registry/redis/store.js'
import { BEAT, CLAIM_ROOMS, REGISTER } from '../../../../lib/registry/redis/scripts/node.js'
import { roomName } from '../../../../lib/common/room-name.js'
import { elapse } from '../../../support/elapse.js'
import { ARGUMENT, COMMON_KEYS, deafTo, TIMES } from '../start-node.js'
import type { BrokenNode } from '../start-node.js'
import type { RoomKey } from '../../../../types/registry.js'

const toAscii = ({ tenant, room }: RoomKey) =>
  ({ tenant: tenant.replaceAll(/\P{ASCII}/gu, '?'), room: room.replaceAll(/\P{ASCII}/gu, '?') })

export const OF_ROOMS: Record<string, BrokenNode> = {
  'does not confirm the end of a call': {
    breaks: {
      'call-ended-heard': /the store repeats the same end, since it is never acknowledged/,
      'moved-given-up': /it does not say so, and the room waits for it/
    },
    redis: (good) => ({
      async evalsha (sha1, keys, ...args) {
        const heardFrom = keys + ARGUMENT.claimToBeat + 2 * (keys - COMMON_KEYS)
        return await good.evalsha(sha1, keys, ...sha1 === BEAT.sha1 ? args.slice(0, heardFrom) : args)
      }
    })
  },
  'never answers': {
    breaks: { admits: /the recorder got no answer to the handshake/ },
    serve: () => createServer().on('upgrade', () => {})
  },
  'answers with garbage': {
    breaks: { admits: /the two sides of a room do not hear each other: the recorder was not connected/ },
    serve: () => createServer().on('upgrade', (_request, socket) =>
      socket.on('error', () => {}).end('\0garbage\r\n\r\n'))
  },
  'answers the signature for a sub-protocol': {
    breaks: { 'sub-protocol': /it answered/ },
    handleProtocols: (offered) => [...offered].at(-1) ?? false
  },
  'has a longer lease': {
    breaks: { registers: /its lease lasts \d+ ms; 1200 were agreed/ },
    times: { lease: 2 * TIMES.lease }
  },
  'has a bad record': {
    breaks: { record: /"weight" must be a number/ },
    redis: (good) => ({
      async evalsha (sha1, keys, ...args) {
        const [at, changed] = [keys + ARGUMENT.record, [...args]]
        if ([BEAT.sha1, REGISTER.sha1].includes(sha1)) changed[at] = String(args[at]).replace('}', ',"weight":0}')
        return await good.evalsha(sha1, keys, ...changed)
      }
    })
  },
  'sends its heartbeats too seldom': {
    breaks: { heartbeat: /its heartbeats were .* ms apart/, times: /are 1200 600 6000; agreed/ },
    times: { heartbeat: TIMES.lease / 2 }
  },
  'does not claim': {
    breaks: {
      'call-ended-unopened': /a client with a signature from before stays connected/,
      claims: /expected the binding of .*; it is ".*\|assigned\|0"/,
      'cut-unanswered': /the two sides of an unclaimed room hear each other/,
      elsewhere: /a client of a room that lives elsewhere stays connected/,
      'epoch-writes': /two sides of a room hear each other, and its binding is not there/,
      'moved-unopened': /a client with a signature from before stays connected/,
      'record-rooms': /with 2 open rooms at least, the record says 0/,
      'room-key': /expected the binding of .*; it is ".*\|assigned\|0"/,
      unreadable: /a client stays connected/
    },
    membership: (good) => ({
      claim: async () => good.valid() ? 'ok' : 'lapsed',
      holds: () => good.valid(),
      // A heartbeat may tell it that the call ended.
      endedAt: () => undefined
    })
  },
  'takes "elsewhere" for "ok"': {
    breaks: { elsewhere: /a client of a room that lives elsewhere stays connected/ },
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
    breaks: { 'room-key': /expected the binding of .*; it is ".*\|assigned\|0"/ },
    membership: (good) => ({
      claim: async (room, options) => await good.claim(toAscii(room), options),
      holds: (room) => good.holds(toAscii(room)),
      release: async (room) => await good.release(toAscii(room))
    })
  },
  'deletes the binding of an empty room': {
    breaks: { releases: /the binding was deleted/ },
    membership: (good, { redis, prefix }) => ({
      async release (room) {
        const times = { ...TIMES, linger: TIMES.linger * 1000 }
        await good.release(room)
        await redis.del(createRedisStore({ redis, prefix, times, clock: systemClock }).room(room))
      }
    })
  },
  'does not count its claims': {
    breaks: {
      'call-ended-newer': /the two sides of a room do not hear each other: the recorder was closed with 4503/,
      'call-ended-reopened': /the two sides of a room do not hear each other: the recorder was closed with 4503/,
      reopens: /the two sides of a room do not hear each other: the recorder was closed with 4503/
    },
    redis: (good) => ({
      async evalsha (sha1, keys, ...args) {
        const changed = [...args]
        if (sha1 === CLAIM_ROOMS.sha1) changed[keys + ARGUMENT.claim] = 1
        return await good.evalsha(sha1, keys, ...changed)
      }
    })
  },
  'ignores tenants': {
    breaks: { tenants: /of tenant "one" is heard in ".*" of "two"/ },
    nameOf: ({ room }) => room
  },
  'ignores the end of a call': {
    breaks: {
      'call-ended': /somebody inside stays connected/,
      'claims-in-turn-ended': /somebody inside stays connected/,
      'lapse-ended': /somebody inside stays connected/,
      moved: /somebody inside stays connected/,
      'moved-given-up': /it says so, and has the room open/
    },
    membership: deafTo('ended')
  },
  'forgets when a call ended': {
    breaks: {
      'call-ended-older': /a client with a signature from before stays connected/,
      'call-ended-reopened': /a client with a normal signature from before stays connected/,
      'call-ended-unopened': /a client with a signature from before stays connected/
    },
    membership: (good) => ({
      claim: async (room) => await good.claim(room),
      endedAt: () => undefined
    })
  },
  'never opens the room of an ended call again': {
    breaks: {
      'call-ended-newer': /the two sides of a room do not hear each other: the recorder was closed with 4410/,
      'call-ended-reopened': /the two sides of a room do not hear each other: the recorder was closed with 4410/
    },
    membership: (good) => ({
      endedAt: (room) => good.endedAt(room) === undefined ? undefined : Infinity
    })
  },
  'ends when a socket resets': {
    breaks: { resets: /the room of honest clients was closed/ },
    endsAtReset: true
  },
  'closes its rooms before it leaves': {
    breaks: { leaves: /it was still registered when it closed a room/ },
    membership: (good) => ({
      async leave () {
        elapse(500, 'the delayed leave').then(good.leave, () => {})
      }
    })
  },
  'does not come back when it is started': {
    breaks: { restarts: /it has not registered again/ },
    isLost: true
  }
}
