import { fault, ok, warning } from '../finding.js'
import { numberOf } from './info.js'
import type { Finding } from '../finding.js'
import type { RedisInfo } from './info.js'

const NEARLY_FULL = 0.9
const FIX = 'CONFIG SET maxmemory-policy noeviction, and in the file of Redis'

/** Every key of the registry may be evicted: bindings have an end, and the leases have none. */
export function judgeEviction (info: RedisInfo): Finding {
  const policy = info.get('maxmemory_policy') ?? 'unknown'
  const limit = numberOf(info, 'maxmemory')
  const used = numberOf(info, 'used_memory')
  if (policy !== 'noeviction' && limit > 0) {
    return fault('eviction', `the policy is ${policy}: Redis may evict rooms that are in use`, FIX)
  }
  if (policy !== 'noeviction') {
    return warning('eviction', `the policy is ${policy}: Redis may evict rooms as soon as "maxmemory" is set`, FIX)
  }
  if (limit > 0 && used > NEARLY_FULL * limit) {
    return warning('eviction', `noeviction, and ${Math.round(100 * used / limit)} % of the memory is used`,
      'raise "maxmemory": a full Redis refuses writes')
  }
  return ok('eviction', 'the policy is noeviction')
}
