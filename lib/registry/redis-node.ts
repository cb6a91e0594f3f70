import { BEAT, CLAIM_ROOMS, REGISTER } from './redis-node-scripts.js'
import type { RedisStore, ScriptCall } from './redis-client.js'
import type { Script } from './redis-script.js'

/** Rooms that one script claims. */
export const BATCH = 250

export interface RoomRelease {
  /** Last part of the room's key. */
  name: string
  /** Milliseconds, by the store's clock. */
  at: number
}

export interface RoomClaim {
  word: string
  /** When the call ended last, or 0. */
  releasedAt: number
}

export type NodeAnswer =
  | { outcome: 'ok', now: number, releases: RoomRelease[], claims: RoomClaim[] }
  /** The store is in another epoch than the caller knew. */
  | { outcome: 'epoch', epoch: string }
  /** Another incarnation is registered than the one to be replaced; '' for none. */
  | { outcome: 'present', incarnation: string }
  | { outcome: 'lapsed' }

/** One claim of a room. */
export interface Claim {
  key: string
  number: number
  /** Milliseconds: of the signature that was shown, or of the room's opening. Left out: later than all others. */
  date?: number | undefined
}

export interface Claims {
  rooms: Claim[]
  /** Of a node that had lapsed. */
  yields: boolean
}

export interface NodeCall {
  epoch: string
  /** `<id>|<incarnation>` */
  member: string
  claims: Claims
}

/** What a node asks of Redis, as the scripts want it. */
export interface RedisNode {
  register (call: NodeCall & { record: string, replaces: string }): Promise<NodeAnswer>
  beat (call: NodeCall & { record: string }): Promise<NodeAnswer>
  claim (call: NodeCall & { signal?: AbortSignal | undefined }): Promise<NodeAnswer>
}

/**
 * @param claimMs milliseconds a claim lasts
 * @param callMs milliseconds one call may take
 */
export function createRedisNode (store: RedisStore, claimMs: number, callMs: number): RedisNode {
  async function ask (script: Script, call: Omit<ScriptCall, 'ms'>): Promise<NodeAnswer> {
    return toAnswer(await store.run(script, { ...call, ms: callMs }))
  }

  return {
    async register ({ epoch, member, record, replaces, claims }) {
      const args = [member, record, claimMs, Number(claims.yields), replaces, ...toArgs(claims)]
      return await ask(REGISTER, { epoch, args, rooms: toKeys(claims) })
    },
    async beat ({ epoch, member, record, claims }) {
      const args = [member, record, claimMs, Number(claims.yields), ...toArgs(claims)]
      return await ask(BEAT, { epoch, args, rooms: toKeys(claims) })
    },
    async claim ({ epoch, member, signal, claims }) {
      const args = [member, claimMs, Number(claims.yields), ...toArgs(claims)]
      return await ask(CLAIM_ROOMS, { epoch, args, rooms: toKeys(claims), signal })
    }
  }
}

const toKeys = ({ rooms }: Claims) => rooms.map(({ key }) => key)
const toArgs = ({ rooms }: Claims) => rooms.flatMap(({ number, date = '' }) => [number, date])

function toAnswer (answer: unknown): NodeAnswer {
  // As the scripts say.
  const [outcome, second, releases, claims] = answer as [string, string | number, string[], Array<string | number>]
  switch (outcome) {
    case 'ok':
      return { outcome, now: Number(second), releases: toReleases(releases), claims: toClaims(claims) }
    case 'epoch':
      return { outcome, epoch: String(second) }
    case 'present':
      return { outcome, incarnation: String(second) }
    default:
      return { outcome: 'lapsed' }
  }
}

function toReleases (flat: string[]): RoomRelease[] {
  const releases = []
  for (let at = 0; at < flat.length; at += 2) releases.push({ name: String(flat[at]), at: Number(flat[at + 1]) })
  return releases
}

function toClaims (flat: Array<string | number>): RoomClaim[] {
  const claims = []
  for (let at = 0; at < flat.length; at += 2) claims.push({ word: String(flat[at]), releasedAt: Number(flat[at + 1]) })
  return claims
}
