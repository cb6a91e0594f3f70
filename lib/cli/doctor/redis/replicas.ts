import { fault, ok, warning } from '../finding.js'
import { numberOf } from './info.js'
import type { Finding } from '../finding.js'
import type { RedisConfig } from './config.js'
import type { RedisInfo } from './info.js'

/** Seconds: fewer than the default lease. */
const LONGEST_LAG = 5
const FIX = 'CONFIG SET min-replicas-to-write 1, CONFIG SET min-replicas-max-lag 2, and in the file of Redis'

/** Without a condition on replicas, an old primary takes writes after a fail-over, and splits rooms. */
export function judgeReplicas (info: RedisInfo, { maxLag }: RedisConfig): Finding {
  const count = numberOf(info, 'connected_slaves')
  // Redis tells this field only if both conditions are set.
  const good = info.get('min_slaves_good_slaves')
  if (good === undefined && count === 0) return ok('replicas', 'there is none, so no fail-over can make two primaries')
  if (good === undefined) {
    return warning('replicas', `${count} connected, and "min-replicas-to-write" is off: after a fail-over an old primary ` +
      'may split rooms', FIX)
  }
  if (good === '0') {
    return fault('replicas', 'none is connected or up to date, and "min-replicas-to-write" is set: Redis refuses writes',
      'start the replicas, or correct their address and password')
  }
  if (maxLag !== undefined && maxLag > LONGEST_LAG) {
    return warning('replicas', `"min-replicas-max-lag" is ${maxLag} s, which is not shorter than a lease`, FIX)
  }
  return ok('replicas', `${count} connected, and "min-replicas-to-write" is set`)
}
