import { fault, ok, warning } from '../finding.js'
import type { Finding } from '../finding.js'
import type { RedisInfo } from './info.js'

const OLDEST = 5

export function judgeServer (info: RedisInfo, host: string): Finding {
  // Valkey tells the version of Redis that it is compatible with, too.
  const name = info.get('server_name') ?? 'redis'
  const version = info.get(`${name}_version`) ?? info.get('redis_version')
  const text = `${name} ${version ?? 'of unknown version'} at ${host} answers`
  if (version === undefined) return warning('store', text, `use Redis ${OLDEST} or newer`)
  const [major] = (info.get('redis_version') ?? version).split('.')
  return Number(major) >= OLDEST ? ok('store', text) : fault('store', text, `use Redis ${OLDEST} or newer`)
}

export function judgeRole (info: RedisInfo): Finding {
  const role = info.get('role') ?? 'unknown'
  if (role === 'master') return ok('role', 'it is the primary')
  return fault('role', `it is no primary (role: ${role}): gateways and nodes cannot write`,
    'give the address of the primary, here and to gateways and nodes')
}
