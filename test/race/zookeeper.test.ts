import t from 'tap'
import { withoutZooKeeper } from '../support/zookeeper-server.js'
import { testRace } from './test-race.js'
import { startZooKeeperStore } from './zookeeper-store.js'

const servers = Number(process.env.RACE_SERVERS ?? 3)

testRace(t, `ZooKeeper (servers: ${servers})`, {
  skip: withoutZooKeeper, rooms: 2000, startStore: async (t) => await startZooKeeperStore(t, servers)
})
