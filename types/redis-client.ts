import type { RedisScripter } from './registry.js'
import type { RedisReader } from './sessions.js'

/** The part of an ioredis or iovalkey client that the adapters use. Other clients need an adapter with this form. */
export interface RedisClient extends RedisScripter, Required<RedisReader> {}

interface ScriptArguments {
  keys: string[]
  arguments: string[]
}

/** The part of a client of node-redis (the package `redis`, version 5 or 6) that `fromNodeRedis` uses. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  readonly isReady?: boolean
  eval (script: string, given: ScriptArguments): Promise<unknown>
  evalSha (sha1: string, given: ScriptArguments): Promise<unknown>
  get (key: string): Promise<unknown>
  mGet (keys: string[]): Promise<unknown>
  connect (): Promise<unknown>
  destroy (): unknown
}
