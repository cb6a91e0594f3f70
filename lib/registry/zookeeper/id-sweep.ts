import { memberOf } from '../nodes/member.js'
import type { Clock } from '../../common/clock.js'
import type { ZooKeeperClient, ZooKeeperStat } from '../../zookeeper-client/client.js'
import type { ZooKeeperLayout } from './layout.js'

/** Milliseconds between two readings of the ids. */
const LOOK_MS = 60_000
/**
 * Milliseconds that a node must be missing before its id is deleted. A node that never got the answer to its
 * registration sends the same one again; without the id it would count as new, and would return to life after its rooms
 * went to others.
 */
const AWAY_MS = 120_000

export interface IdSweepOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  lingerMs: number
  clock: Clock
}

/** Deletes the ids of nodes that never returned. */
export interface IdSweep {
  /** Reads the ids if that is due. */
  tick (): Promise<void>
}

export function createIdSweep ({ client, layout, lingerMs, clock }: IdSweepOptions): IdSweep {
  let due = clock.monotonic() + LOOK_MS * Math.random()
  /** Registrations whose node is missing, and the moments at which this was noticed. */
  let away = new Map<string, number>()

  async function look (): Promise<void> {
    const children = await client.children(layout.ids) ?? []
    const stillAway = new Map<string, number>()
    for (const child of children) {
      const found = await client.get(`${layout.ids}/${child}`)
      if (found === undefined) continue
      const member = memberOf({ id: child.slice(0, -1), incarnation: found.data.toString() })
      if (await client.exists(layout.nodePath(member)) !== undefined) continue
      const since = away.get(member) ?? clock.monotonic()
      if (clock.monotonic() - since < Math.max(AWAY_MS, 2 * lingerMs)) stillAway.set(member, since)
      else await remove(child, found.stat)
    }
    away = stillAway
  }

  async function remove (child: string, { czxid, version }: ZooKeeperStat): Promise<void> {
    const path = `${layout.ids}/${child}`
    // The parent's version shows whether the id was deleted and registered again, as that of a bucket does for rooms.
    const [parent, again] = await Promise.all([client.exists(layout.ids), client.get(path)])
    if (parent === undefined || again?.stat.czxid !== czxid || again.stat.version !== version) return
    await client.multi([
      { type: 'set', path: layout.ids, data: Buffer.alloc(0), version: parent.version },
      { type: 'remove', path, version }
    ])
  }

  return {
    async tick () {
      const now = clock.monotonic()
      if (now < due) return
      due = now + LOOK_MS
      await look()
    }
  }
}
