import { fault, ok, warning } from '../finding.js'
import type { Finding } from '../finding.js'
import type { RedisConfig } from './config.js'
import type { RedisInfo } from './info.js'

const FIX = 'CONFIG SET appendonly yes, and in the file of Redis'

/** A Redis that forgets its data is no danger for the rooms. It costs time, and the orders of operators. */
export function judgePersistence (info: RedisInfo, { save }: RedisConfig): Finding {
  const failed = ['rdb_last_bgsave_status', 'aof_last_write_status'].filter((name) => (info.get(name) ?? 'ok') !== 'ok')
  if (failed.length > 0) {
    return fault('persistence', `Redis cannot write to its disk (${failed.join(', ')}), and may refuse writes`,
      'is the disk full, or not writable? The log of Redis says why')
  }
  if (info.get('aof_enabled') === '1') return ok('persistence', 'the append-only file is on')
  if (save === '') {
    return warning('persistence', 'it is off: a restart loses all orders and bindings, and new rooms then wait for half ' +
      'a minute', FIX)
  }
  const snapshots = save === undefined ? 'the append-only file is off' : 'snapshots only'
  return warning('persistence', `${snapshots}: a restart loses orders and bindings since the latest snapshot`, FIX)
}
