import { testForeignNode } from './foreign-tests.js'
import { javaOnZooKeeper } from './java-on-zookeeper.js'

// All rules are part of `npm run test:long`.
testForeignNode(javaOnZooKeeper, {
  only: [
    'registers', 'admits', 'znodes', 'record-rooms', 'claims', 'room-key', 'elsewhere', 'releases', 'call-ended', 'moved',
    'moved-given-up'
  ]
})
