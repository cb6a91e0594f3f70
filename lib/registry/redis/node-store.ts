import { parseOrder } from '../nodes/node-order.js'
import { BEAT, CLAIM_ROOMS, LEAVE, REGISTER, RELEASE } from './scripts/node.js'
import type { NodeAnswer, Claims, NodeStore, RoomClaim, RoomEnd } from '../membership/node-store.js'
import type { RedisStore, RedisTimes, ScriptCall } from './store.js'
import type { Script } from './scripts/prelude.js'

const BATCH = 250
const MAX_CALL_MS = 1000
const MIN_CLAIM_MS = 90_000
/** Heartbeats within which all open rooms are claimed again: longest time that an evicted binding stays lost. */
const ROUND = 3

/** A node's access to Redis, by the scripts. */
export function createRedisNode (store: RedisStore, times: RedisTimes): NodeStore {
  const ms = Math.min(MAX_CALL_MS, times.lease / 2)
  // A claim must outlive the lease: a room is in use until its node is dead.
  const claimMs = Math.max(MIN_CLAIM_MS, times.lease + 60_000)

  async function ask (script: Script, call: Omit<ScriptCall, 'ms'>): Promise<NodeAnswer> {
    return toAnswer(await store.run(script, { ms, ...call }), store)
  }

  return {
    batch: BATCH,
    claimsAgain: (open) => Math.max(BATCH, Math.ceil(open / ROUND)),
    times,
    roomKey: store.room,
    async register ({ epoch, member, record, replaces, claims }) {
      const args = [member, record, claimMs, kindOf(claims), replaces, ...toArgs(claims)]
      return await ask(REGISTER, { epoch, args, rooms: toKeys(claims) })
    },
    async beat ({ epoch, member, record, claims, heard = [] }) {
      const told = heard.flatMap(({ key, at }) => [store.nameOf(key), at])
      const args = [member, record, claimMs, kindOf(claims), ...toArgs(claims), ...told]
      return await ask(BEAT, { epoch, args, rooms: toKeys(claims) })
    },
    async claim ({ epoch, member, signal, claims }) {
      const args = [member, claimMs, kindOf(claims), ...toArgs(claims)]
      return await ask(CLAIM_ROOMS, { epoch, args, rooms: toKeys(claims), within: signal })
    },
    async release ({ epoch, member, key, number }) {
      await store.run(RELEASE, { epoch, args: [member, number], rooms: [key], ms })
    },
    async leave (members) {
      await store.run(LEAVE, { args: members, ms })
    }
  }
}

const toKeys = ({ rooms }: Claims) => rooms.map(({ key }) => key)
const kindOf = ({ yields, areOpen = false }: Claims) => yields ? 1 : areOpen ? 2 : 0
const toArgs = ({ rooms }: Claims) => rooms.flatMap(({ number, date = '' }) => [number, date])

type Answer = [string, string | number, string[], Array<string | number>, string?, string?]

function toAnswer (answer: unknown, { keyOf, remember }: RedisStore): NodeAnswer {
  // The scripts document this type.
  const [outcome, second, ends, claims, memory, order] = answer as Answer
  remember(memory)
  switch (outcome) {
    case 'ok':
      return {
        outcome,
        now: Number(second),
        ends: toEnds(ends, keyOf),
        claims: toClaims(claims),
        order: order === undefined || order === '' ? null : parseOrder(order)
      }
    case 'epoch':
      return { outcome, epoch: String(second) }
    case 'present':
      return { outcome, incarnation: String(second) }
    default:
      return { outcome: 'lapsed' }
  }
}

function toEnds (flat: string[], keyOf: (name: string) => string): RoomEnd[] {
  const ends = []
  for (let at = 0; at < flat.length; at += 2) ends.push({ key: keyOf(String(flat[at])), at: Number(flat[at + 1]) })
  return ends
}

function toClaims (flat: Array<string | number>): RoomClaim[] {
  const claims = []
  for (let at = 0; at < flat.length; at += 2) claims.push({ word: String(flat[at]), endedAt: Number(flat[at + 1]) })
  return claims
}
