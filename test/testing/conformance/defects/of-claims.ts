import { BEAT, CLAIM_ROOMS } from '../../../../lib/registry/redis/scripts/node.js'
import { roomName } from '../../../../lib/common/room-name.js'
import { ARGUMENT, TIMES } from '../start-node.js'
import { changing, eachClaim, hearClaims, kindOf, put, taking } from './changes.js'
import { withoutRooms } from './of-lapses.js'
import type { Redis } from 'ioredis'
import type { BrokenNode } from '../start-node.js'

const [SIGNATURE, SHUT, OPEN] = ['0', '1', '2']

/** Incarnations in the order of their use, of each node. */
const incarnations = new WeakMap<Redis, Set<string>>()

export const OF_CLAIMS: Record<string, BrokenNode> = {
  'releases a room when one of its clients leaves': {
    breaks: { occupied: /when the replayer left.*when the recorder left/ },
    left: ({ tenant, room }, membership) => { membership?.release({ tenant, room }).catch(() => {}) }
  },
  'releases a room when a client is refused': {
    breaks: { occupied: /^somebody was still inside when a client was refused/ },
    verify: (good, membership) => async (signature, at) => {
      const claims = await good(signature, at)
      const isKnown = membership()?.holds(claims) === true && claims.role === 'recorder'
      if (isKnown) await membership()?.release({ tenant: claims.tenant, room: claims.room })
      return claims
    }
  },
  'keeps the claim of a client that reset its connection': {
    breaks: { 'resets-releases': /a room is still claimed/ },
    keepsReset: true
  },
  'releases a room with the number of no claim': {
    breaks: { releases: /the room is still claimed/, 'resets-releases': /a room is still claimed/ },
    membership: () => ({ release: async () => {} })
  },
  'lets its claims last for 5 s': {
    breaks: { 'claim-lasts': /lasts \d+ ms; expected 90000/ },
    redis: changing({
      send: ({ script, args }) => put(args, script === CLAIM_ROOMS ? ARGUMENT.lifeOfClaim : ARGUMENT.life, 5000)
    })
  },
  'never claims its open rooms in turn': {
    breaks: {
      'claims-in-turn': /an evicted binding is not back/,
      'claims-in-turn-elsewhere': /somebody inside stays connected/,
      'claims-in-turn-ended': /somebody inside stays connected/,
      'lapse-claims-in-turn': /an evicted binding is not back/,
      'unreadable-open': /did not replace the binding/
    },
    redis: withoutRooms({})
  },
  'never claims in turn after it registered again': {
    breaks: { 'lapse-claims-in-turn': /an evicted binding is not back/ },
    redis (good, prefix) {
      const seen = incarnations.get(good) ?? new Set<string>()
      incarnations.set(good, seen)
      return withoutRooms({ isSilent: (member) => seen.add(member).size > 1 })(good)
    }
  },
  'does not hear "elsewhere" in the answer to a claim in turn': {
    breaks: { 'claims-in-turn-elsewhere': /somebody inside stays connected/ },
    redis: changing({
      hear: (answer, sent) => kindOf(sent) !== OPEN
        ? answer
        : hearClaims(answer, (word, endedAt) => [word === 'elsewhere' ? 'failed' : word, endedAt])
    })
  },
  'does not hear "ended" in the answer to a claim in turn': {
    breaks: { 'claims-in-turn-ended': /somebody inside stays connected/ },
    redis: changing({
      hear: (answer, sent) => kindOf(sent) !== OPEN
        ? answer
        : hearClaims(answer, (word) => [word === 'ended' ? 'failed' : word, 0])
    })
  },
  'says of every claim that a client shows a signature': {
    breaks: {
      'unreadable-open': /did not replace the binding/,
      'yield-waits': /claimed the room while the store settled/
    },
    redis: changing({
      send: ({ script, args }) =>
        put(args, script === CLAIM_ROOMS ? ARGUMENT.kindOfClaim : ARGUMENT.kind, SIGNATURE ?? '')
    })
  },
  'says of no room that it is behind a shut door': {
    breaks: { 'yield-waits': /claimed the room while the store settled/ },
    redis: changing({
      send: (sent) => kindOf(sent) !== SHUT
        ? sent.args
        : put(sent.args, sent.script === CLAIM_ROOMS ? ARGUMENT.kindOfClaim : ARGUMENT.kind, OPEN ?? '')
    })
  },
  'takes "yield" for "ok"': {
    breaks: { 'yield-waits': /claimed the room while the store settled/ },
    redis: taking('yield', 'ok')
  },
  'takes "yield" for "elsewhere"': {
    breaks: { 'yield-keeps': /the recorder was closed with 4410/ },
    redis: taking('yield', 'elsewhere')
  },
  'does not try again after "yield"': {
    breaks: { 'yield-claims': /after the settling, the binding is not there/ },
    redis: withoutRooms({ first: new Map([[BEAT.sha1, ARGUMENT.claimToBeat]]), isSilent: () => false })
  },
  'takes an unreadable binding for none': {
    breaks: {
      'cut-unanswered': /the two sides of an unclaimed room hear each other/,
      unreadable: /a client stays connected/
    },
    membership (good) {
      const taken = new Set<string>()
      return {
        claim: async (room, options) => await good.claim(room, options).catch(() => {
          taken.add(roomName(room))
          return 'ok'
        }),
        holds: (room) => good.holds(room) || (good.valid() && taken.has(roomName(room)))
      }
    }
  },
  'takes an unreadable binding for one of another node': {
    breaks: { unreadable: /a client was closed with 4410/ },
    redis: taking('failed', 'elsewhere')
  },
  'sends its claims without dates': {
    breaks: { 'call-ended-unopened': /the binding was an-epoch-of-/ },
    redis: changing({
      send: (sent) => sent.script === CLAIM_ROOMS && kindOf(sent) === SIGNATURE
        ? eachClaim(sent, (number) => [number, ''])
        : sent.args
    })
  },
  'dates its open rooms anew with each claim': {
    breaks: {
      'claims-in-turn-ended': /somebody inside stays connected/,
      'lapse-ended': /somebody inside stays connected/
    },
    redis: changing({
      send: (sent) => kindOf(sent) === SIGNATURE ? sent.args : eachClaim(sent, (number) => [number, Date.now() + 1000]),
      hear: (answer, sent) => kindOf(sent) === SIGNATURE ? answer : hearClaims(answer, (word) => [word, 0])
    })
  },
  'sends a longer linger': {
    breaks: { times: /are 1200 250 12000; agreed: 1200 250 6000/ },
    times: { linger: 2 * TIMES.linger }
  },
  'sends its heartbeats too often': {
    breaks: { heartbeat: /its heartbeats were .* ms apart/ },
    times: { heartbeat: TIMES.heartbeat / 10 }
  },
  'does not count its rooms': {
    breaks: { 'record-rooms': /with 2 open rooms at least, the record says 0/ },
    redis: changing({
      send: ({ script, args }) => script === CLAIM_ROOMS
        ? args
        : put(args, ARGUMENT.record, String(args[ARGUMENT.record]).replace(/"rooms":\d+/, '"rooms":0'))
    })
  }
}
