import { parseBinding } from '../../../lib/registry/zookeeper/binding.js'
import { createZooKeeperRegistry } from '../../../lib/registry/zookeeper.js'
import { pick } from './commands.js'
import { SimZooKeeper } from './sim-zookeeper.js'
import { Timeline } from './timeline.js'
import { DEFAULT_TIMES } from './stage.js'
import type { Judge } from './judge.js'
import type { Server } from './sim-ensemble.js'
import type { Change } from './sim-tree.js'
import type { Act } from './commands.js'
import type { Stage } from './stage.js'

/** Nodes judge signatures by their own clocks here, which may be wrong by as much as they tolerate. */
const TIMES = { ...DEFAULT_TIMES, clockError: 4000 }
/** Rooms that nobody is in are deleted while writes of before are still on their way. */
const SHORT_TIMES = { ...TIMES, ttl: 1, skew: 1, clockError: 800 }

const NODE = /\/nodes\/([^/~]+)~([^/~]+)$/
const ROOM = /\/rooms\/..\/[^/]+$/

/** With how often each happens. */
export const ZOOKEEPER_FAULTS = { elect: 2, 'server down': 2, 'server up': 3, lag: 3, 'catch up': 3 }

/** @param seed whether signatures live as long as they do by default */
export function simulatedZooKeeperStage (seed: number): Stage {
  const timeline = new Timeline()
  const process = { name: 'ensemble', isPaused: false, isDead: false, wallOffset: 0 }
  const zookeeper = new SimZooKeeper(timeline.clockOf(process))
  timeline.deliver = () => zookeeper.network.deliver()
  const times = seed % 2 === 0 ? TIMES : SHORT_TIMES
  const { ensemble } = zookeeper
  return {
    times,
    timeline,
    store: zookeeper,
    createRegistry ({ process, link }) {
      const clock = timeline.clockOf(process)
      return createZooKeeperRegistry(
        { hosts: 'simulated:2181', sessionTimeout: times.lease, linger: times.ttl + times.skew },
        clock,
        ({ sessionTimeout }) => zookeeper.clientOf({ process, link }, sessionTimeout, clock)
      )
    },
    faults: faultsOf(zookeeper),
    witness (judge) {
      ensemble.onCommit = (changes) => {
        for (const change of changes) see(judge, change, ensemble.moment)
      }
    },
    // A signature is dated by when the gateway asked. It is issued in the same turn in which the answer is heard.
    decidedAt: () => ensemble.answered
  }
}

function faultsOf (zookeeper: SimZooKeeper): Record<string, Act> {
  const { ensemble } = zookeeper
  const isFollower = (server: Server) => server !== ensemble.leader && !server.isDown
  return {
    async elect (world, _at, how) {
      if (zookeeper.isAway) return false
      zookeeper.isAway = true
      await world.timeline.advance(pick([0, 100, 1500], how))
      zookeeper.isAway = false
      return true
    },
    'server down' (_world, at) {
      if (zookeeper.isAway || ensemble.servers.some(({ isDown }) => isDown)) return false
      ensemble.setDown(ensemble.server(at))
      return true
    },
    'server up' () {
      const down = ensemble.servers.find(({ isDown }) => isDown)
      if (down === undefined) return false
      ensemble.setUp(down)
      return true
    },
    lag (world, at, how) {
      const server = ensemble.server(at)
      if (!isFollower(server) || server.lag !== 'none') return false
      const lag = how % 3 === 0 ? 'cut' : 'slow'
      ensemble.setLag(server, lag)
      // Some node may be cut off with it.
      if (lag === 'cut') for (const relay of world.relays) relay.isAtFault = true
      return true
    },
    'catch up' (_world, at) {
      const lagging = ensemble.servers.filter(({ lag }) => lag !== 'none')
      if (lagging.length === 0) return false
      ensemble.setLag(pick(lagging, at), 'none')
      return true
    },
    'clock set' (world, at, how) {
      const relay = pick(world.relays, at)
      const { clockError } = world.times
      relay.process.wallOffset = pick([-clockError, 0, clockError], how)
      relay.isAtFault = true
      return true
    }
  }
}

/** Tells the judge what was written. */
function see (judge: Judge, { path, before, after }: Change, now: number): void {
  const [, id, incarnation] = NODE.exec(path) ?? []
  if (id !== undefined) {
    judge.told?.(() => `${path} ${after === undefined ? 'is gone' : 'lives'}`)
    return judge.promise(`${id}|${incarnation}`, after === undefined ? now : Infinity)
  }
  if (!ROOM.test(path)) return
  judge.told?.(() => `${path.slice(-6)} ${after === undefined ? 'is deleted' : after.data}`)
  if (after === undefined) return judge.unclaimed(path)
  const { member, state, endedAt } = parseBinding(after.data.toString())
  const last = before && parseBinding(before.data.toString())
  if (endedAt > (last?.endedAt ?? 0)) judge.callEnded(path, endedAt)
  else if (state === 'released') judge.unclaimed(path)
  if (member === undefined || state === 'released') return
  judge.bound(path, member)
  if (state === 'claimed') judge.claimed(path)
  // Death is judged by the store: nothing is bound to a node that is gone.
  if (!judge.lives(member, now)) judge.breaks('I3', `a room is ${state} to ${member}, which was declared dead`)
}
