import t from 'tap'
import { withoutZooKeeper } from '../support/zookeeper-server.js'
import { testRace } from './test-race.js'
import { startZooKeeperStore } from './zookeeper-store.js'

testRace(t, 'three ZooKeeper servers', {
  skip: withoutZooKeeper, rooms: 2000, startStore: async (t) => await startZooKeeperStore(t, 3)
})
