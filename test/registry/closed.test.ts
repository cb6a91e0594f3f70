import { Redis } from 'ioredis'
import t from 'tap'
import { memoryRegistry, redisRegistry, RegistryUnavailableError, zookeeperRegistry } from '../../lib/index.js'
import { newRoom, nodeRecord } from '../../lib/testing/contracts/rooms.js'
import { silentLog } from '../support/silent-log.js'
import type { Registry } from '../../types/index.js'

/** A closed registry asks no server, so none has to run. */
const NOWHERE = { host: '127.0.0.1', port: 9 }

const REGISTRIES: Record<string, () => Registry> = {
  memoryRegistry: () => memoryRegistry({ nodes: [nodeRecord('n1')] }),
  redisRegistry: () => redisRegistry({ redis: new Redis({ ...NOWHERE, lazyConnect: true }) }),
  zookeeperRegistry: () => zookeeperRegistry({ hosts: `${NOWHERE.host}:${NOWHERE.port}` })
}

for (const [name, make] of Object.entries(REGISTRIES)) {
  t.test(`${name} – assign after the last close – rejects with RegistryUnavailableError`, async (t) => {
    const registry = make()
    registry.start({ log: silentLog, onState () {} })
    await registry.close()
    await t.rejects(registry.assign(newRoom()), { code: 'FST_COBROWSE_50302' })
    await t.rejects(registry.assign(newRoom()), RegistryUnavailableError)
  })
}
