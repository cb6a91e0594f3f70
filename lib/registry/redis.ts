import type { RedisRegistryOptions, Registry } from '../../types/registry.js'
export function redisRegistry (_options: RedisRegistryOptions): Registry { throw new Error('interim') }
