import { testRules, testSilentServer } from './foreign-tests.js'
import { javaOnZooKeeper } from './java-on-zookeeper.js'

testRules(javaOnZooKeeper)
testSilentServer(javaOnZooKeeper)
