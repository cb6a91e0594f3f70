import t from 'tap'
import { withoutZooKeeper } from '../../support/zookeeper-server.js'
import { LONG_RACE } from './long-race.js'
import { testRace } from './test-race.js'
import { startZooKeeperStore } from './zookeeper-store.js'

t.setTimeout(0)
testRace(t, 'one server of ZooKeeper', {
  skip: withoutZooKeeper, startStore: async (t) => await startZooKeeperStore(t, 1), extent: LONG_RACE
})
