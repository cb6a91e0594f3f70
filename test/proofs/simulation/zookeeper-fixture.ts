import { parseBinding } from '../../../lib/registry/zookeeper/binding.js'
import { createZooKeeperRegistry } from '../../../lib/registry/zookeeper.js'
import { pick } from './commands.js'
import { SimZooKeeper } from './sim-zookeeper.js'
import { Timeline } from './timeline.js'
import { DEFAULT_TIMES } from './fixture.js'
import type { Binding } from '../../../lib/registry/zookeeper/binding.js'
import type { Judge } from './judge.js'
import type { Server } from './sim-ensemble.js'
import type { Change } from './sim-tree.js'
import type { Step } from './commands.js'
import type { Fixture } from './fixture.js'

/** Error of the nodes' own clocks, within their tolerance; nodes on ZooKeeper check signatures by them. */
const TIMES = { ...DEFAULT_TIMES, clockError: 4000 }
/** Linger so short that empty rooms are deleted while earlier writes are on their way. */
const SHORT_TIMES = { ...TIMES, ttl: 1, skew: 1, clockError: 800 }

const NODE = /\/nodes\/([^/~]+)~([^/~]+)$/
const ROOM = /\/rooms\/..\/[^/]+$/

/** Faults with their weights. */
export const ZOOKEEPER_FAULTS = { elect: 2, 'server down': 2, 'server up': 3, lag: 3, 'catch up': 3 }

/** @param seed decides if signatures live as long as by default */
export function simulatedZooKeeperFixture (seed: number): Fixture {
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
    reportTo (judge) {
      ensemble.onCommit = (changes) => {
        for (const change of changes) see(judge, change, ensemble.moment)
      }
    },
    // The date of a signature is the time of the gateway's request. It is issued in the turn in which the answer
    // arrives.
    decidedAt: () => ensemble.answered
  }
}

function faultsOf (zookeeper: SimZooKeeper): Record<string, Step> {
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
      // A node may be cut off with the server.
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

/** Reports the writes to the judge. */
function see (judge: Judge, { path, before, after }: Change, now: number): void {
  const [, id, incarnation] = NODE.exec(path) ?? []
  if (id !== undefined) {
    judge.told?.(() => `${path} ${after === undefined ? 'is gone' : 'lives'}`)
    return judge.promise(`${id}|${incarnation}`, after === undefined ? now : Infinity)
  }
  if (!ROOM.test(path)) return
  judge.told?.(() => `${path.slice(-6)} ${after === undefined ? 'is deleted' : after.data}`)
  if (after === undefined) return judge.unclaimed(path)
  const { member, state, claims, endedAt } = parseBinding(after.data.toString())
  const last = before && parseBinding(before.data.toString())
  if (endedAt > (last?.endedAt ?? 0)) judge.callEnded(path, endedAt)
  else if (state === 'released') judge.unclaimed(path)
  if (member === undefined || state === 'released') return
  if (state === 'moving' || state === 'moved') return seeMove(judge, path, member, { state, last, dated: claims, now })
  judge.bound(path, member, now)
  if (state === 'claimed') judge.claimed(path)
  // The store decides which nodes are alive: a room is never bound to a missing node.
  if (!judge.lives(member, now)) judge.breaks('I3', `a room is ${state} to ${member}, which was declared dead`)
}

interface MoveSeen {
  state: 'moving' | 'moved'
  last: Binding | undefined
  dated: number
  now: number
}

/** Tells the move of an operator from the acknowledgement of the node, and from the end of a call meanwhile. */
function seeMove (judge: Judge, path: string, member: string, { state, last, dated, now }: MoveSeen): void {
  const [id = ''] = member.split('|')
  const isFirst = last?.state !== 'moving' && last?.state !== 'moved'
  if (isFirst) judge.moved(path, id, { at: now, dated, mustWait: state === 'moving' })
  else if (last.state === 'moving' && state === 'moved') judge.acknowledged(path, id, now)
}
