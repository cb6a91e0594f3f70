import { testRules, testSilentServer } from './foreign-tests.js'
import { pythonOnZooKeeper } from './python-on-zookeeper.js'

testRules(pythonOnZooKeeper)
testSilentServer(pythonOnZooKeeper)
