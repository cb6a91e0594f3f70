import t from 'tap'
import { withoutZooKeeper } from '../../support/zookeeper-server.js'
import { testRace } from './test-race.js'
import { startZooKeeperStore } from './zookeeper-store.js'

t.setTimeout(0)
testRace(t, 'three servers of ZooKeeper', {
  skip: withoutZooKeeper,
  startStore: async (t) => await startZooKeeperStore(t, 3),
  extent: {
    gateways: 2,
    nodes: 3,
    drivers: 1,
    seconds: 0,
    moves: 5,
    mayLapse: true,
    roomsAtOnce: 10,
    faults: ['node-kill', 'store-leader-kill']
  }
})
