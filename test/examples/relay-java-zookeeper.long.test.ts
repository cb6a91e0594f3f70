import { testRules, testSilentServer } from './foreign-node.js'
import { javaOnZooKeeper } from './java-on-zookeeper.js'

testRules(javaOnZooKeeper)
testSilentServer(javaOnZooKeeper)
