import { testForeignNode } from './foreign-tests.js'
import { javaOnRedis } from './java-on-redis.js'

// All rules are part of `npm run test:long`.
testForeignNode(javaOnRedis, {
  only: [
    'registers', 'admits', 'heartbeat', 'claims', 'room-key', 'elsewhere', 'releases', 'call-ended', 'noscript', 'moved',
    'moved-given-up'
  ]
})
