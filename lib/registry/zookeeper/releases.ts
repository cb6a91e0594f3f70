import { splitMember } from '../nodes/member.js'
import { unavailable, UnreadableBindingError } from '../../common/unavailable.js'
import type { ReleaseCall } from '../membership/node-store.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { ZooKeeperRooms } from './room-records.js'
import type { Sweep } from './sweep.js'

/** Bounds the retries of a write that others beat to the room. */
const MAX_TRIES = 8

export interface ReleasesOptions {
  client: ZooKeeperClient
  rooms: ZooKeeperRooms
  sweep: Sweep
  callMs (): number
  /** Called for a room that an operator moves: its node has to hear of that before it gives the room up. */
  onMoving (key: string): void
}

/** Releases the rooms of a node, and retries failed releases. */
export interface Releases {
  release (call: ReleaseCall): Promise<void>
  /** Notes a release, since a claim may have been written that would never end otherwise. */
  releaseLater (call: ReleaseCall): void
  releaseAgain (): Promise<void>
  /** Drops the noted release of a room that is held again. */
  forget (key: string): void
}

export function createReleases ({ client, rooms, sweep, callMs, onMoving }: ReleasesOptions): Releases {
  const unreleased = new Map<string, ReleaseCall>()

  async function release (call: ReleaseCall): Promise<void> {
    await write(call)
    unreleased.delete(call.key)
  }

  async function write ({ key, member, number }: ReleaseCall): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const room = await rooms.read(key, { ms: callMs() })
      const { binding } = room
      if (binding?.member !== member) return
      if (binding.state === 'moving') return onMoving(key)
      if (binding.state !== 'claimed' || binding.claims > number) return
      const released = { member, state: 'released' as const, claims: number, endedAt: binding.endedAt }
      const { ops, text } = rooms.write(room, released, { event: 'released', node: splitMember(member).id })
      if (await client.multi(ops, { ms: callMs() }) === undefined) return sweep.note(key, text, released)
    }
    throw unavailable('the room kept changing')
  }

  /** Drops a room that cannot be read, so that the next ones are released. */
  function forgetIfUnreadable ({ key }: ReleaseCall) {
    return (error: unknown) => {
      if (!(error instanceof UnreadableBindingError)) throw error
      unreleased.delete(key)
    }
  }

  return {
    async release (call) {
      unreleased.set(call.key, call)
      await release(call)
    },
    releaseLater: (call) => { unreleased.set(call.key, call) },
    async releaseAgain () {
      for (const call of unreleased.values()) await release(call).catch(forgetIfUnreadable(call))
    },
    forget: (key) => { unreleased.delete(key) }
  }
}
