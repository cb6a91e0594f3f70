import { testRules, testSilentServer } from './foreign-node.js'
import { pythonOnZooKeeper } from './python-on-zookeeper.js'

testRules(pythonOnZooKeeper)
testSilentServer(pythonOnZooKeeper)
