import { onRedis } from './foreign-stores.js'
import type { ForeignNode } from './foreign-node.js'

export const pythonOnRedis: ForeignNode = {
  store: onRedis,
  folder: 'relay-python',
  ending: '.py',
  needs: 'python3',
  program: 'python3',
  build: async () => ['relay.py']
}
