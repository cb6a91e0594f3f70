import { testForeignNode } from './foreign-tests.js'
import { pythonOnRedis } from './python-on-redis.js'

// All rules are part of `npm run test:long`.
testForeignNode(pythonOnRedis, {
  only: [
    'registers', 'admits', 'heartbeat', 'claims', 'room-key', 'elsewhere', 'releases', 'call-ended', 'noscript', 'moved',
    'moved-given-up'
  ]
})
