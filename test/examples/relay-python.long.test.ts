import { testRules } from './foreign-tests.js'
import { pythonOnRedis } from './python-on-redis.js'

testRules(pythonOnRedis)
