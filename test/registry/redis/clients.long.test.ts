import t from 'tap'
import { REDIS_CLIENTS } from '../../support/redis-clients.js'
import { testRedisContract } from '../../support/redis-contract.js'

testRedisContract(t, Object.keys(REDIS_CLIENTS))
