import { existsSync } from 'node:fs'
import { onZooKeeper } from './foreign-stores.js'
import type { ForeignNode } from './foreign-node.js'

const KAZOO = '/usr/lib/python3/dist-packages/kazoo'
const withoutKazoo = existsSync(KAZOO) || process.env.CI === 'true' ? false : 'python3-kazoo is not installed'

export const pythonOnZooKeeper: ForeignNode = {
  folder: 'relay-python-zookeeper',
  ending: '.py',
  needs: 'python3',
  // Debian's, since its package installs kazoo for no other Python.
  program: '/usr/bin/python3',
  store: onZooKeeper,
  without: withoutKazoo,
  env: { PYTHONPATH: '../relay-python' },
  build: async () => ['-m', 'relay']
}
