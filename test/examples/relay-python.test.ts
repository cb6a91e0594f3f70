import { onRedis, testForeignNode } from './foreign-node.js'

testForeignNode({
  store: onRedis,
  folder: 'relay-python',
  ending: '.py',
  needs: 'python3',
  program: 'python3',
  build: async () => ['relay.py']
})
