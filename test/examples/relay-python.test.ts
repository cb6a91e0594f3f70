import { onRedis } from './foreign-stores.js'
import { testForeignNode } from './foreign-tests.js'

testForeignNode({
  store: onRedis,
  folder: 'relay-python',
  ending: '.py',
  needs: 'python3',
  program: 'python3',
  build: async () => ['relay.py']
})
