import { testRules } from './foreign-tests.js'
import { javaOnRedis } from './java-on-redis.js'

testRules(javaOnRedis)
