import { randomBytes } from 'node:crypto'
import envSchema from 'env-schema'
import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

/** Published with the project: whoever reads it can sign. */
const SAMPLE_KEY = 'sample key of the demo, never use it elsewhere'
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

export const EnvSchema = Type.Object({
  PORT: Type.Integer({ default: 8446, minimum: 0, maximum: 65_535, description: 'port to listen on; 0 takes a free one' }),
  HOST: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  LOG_LEVEL: Type.String({ default: 'warn', description: 'least level that is logged' }),
  COBROWSE_KEY: Type.Optional(Type.String({
    minLength: 32, description: 'key that signs, at least 32 bytes; without it the sample key, on loopback only'
  })),
  COBROWSE_KEY_ID: Type.String({ default: 'demo', description: 'names the key in a signature' }),
  COBROWSE_KEY_PREVIOUS: Type.Optional(Type.String({ minLength: 32, description: 'key before it, still accepted' })),
  COBROWSE_KEY_PREVIOUS_ID: Type.String({ default: 'previous', description: 'names the key before it' }),
  REDIS_URL: Type.Optional(Type.String({ description: 'registry and token store in this Redis, instead of in memory' })),
  ZOOKEEPER_HOSTS: Type.Optional(Type.String({
    description: 'registry in this ZooKeeper, host:port,host:port/chroot; without REDIS_URL tokens stay in memory'
  })),
  ZOOKEEPER_AUTH: Type.Optional(Type.String({ description: 'digest credentials for it, user:password' })),
  REGISTRY: Type.Optional(Type.Unsafe<'redis' | 'zookeeper'>({
    type: 'string', enum: ['redis', 'zookeeper'], description: 'which of the two holds the rooms; needed when both are set'
  })),
  TOKEN_PREFIX: Type.String({ default: 'TOKENKEY:', description: 'before a token\'s key in Redis' }),
  PROVISION_URL: Type.Optional(Type.String({ description: 'asks this URL for the external address' })),
  PROVISION_PICK: Type.String({ default: '/data/address', description: 'JSON pointer to the address in its answer' }),
  PUBLIC_URL: Type.Optional(Type.String({
    description: 'where browsers reach this process, wss://host[:port]; needed when HOST is not loopback'
  })),
  ALLOWED_ORIGINS: Type.String({ default: '', description: 'origins of other web pages that may ask, comma-separated' }),
  NODES: Type.Integer({ default: 2, minimum: 0, maximum: 16, description: 'relay nodes in this process' }),
  NODE_PREFIX: Type.String({
    default: `${process.pid}-${randomBytes(3).toString('hex')}`, description: 'before the id of each relay node'
  }),
  SHUTDOWN_DELAY: Type.Integer({
    default: 0, minimum: 0, maximum: 60_000, description: 'milliseconds that /readyz says no before the server closes'
  })
})

export interface Env extends Static<typeof EnvSchema> {
  COBROWSE_KEY: string
  allowedOrigins: string[]
  isLoopback: boolean
  /** Left out where the registry is not in ZooKeeper, whether there is one or not. */
  zooKeeperHosts: string | undefined
}

/** @throws Error that names the variable */
export function readEnv (data: Record<string, string | undefined> = process.env): Env {
  const env = envSchema<Static<typeof EnvSchema>>({ schema: EnvSchema, data, env: false })
  const isLoopback = LOOPBACK.test(env.HOST)
  if (!isLoopback && env.COBROWSE_KEY === undefined) {
    throw new Error('COBROWSE_KEY must be set when HOST is not loopback: the sample key is known to everybody')
  }
  if (!isLoopback && env.PUBLIC_URL === undefined) {
    throw new Error('PUBLIC_URL must be set when HOST is not loopback: browsers refuse ws: beyond their own machine')
  }
  const allowedOrigins = env.ALLOWED_ORIGINS.split(',').map((origin) => origin.trim()).filter((origin) => origin !== '')
  return {
    ...env,
    COBROWSE_KEY: env.COBROWSE_KEY ?? SAMPLE_KEY,
    allowedOrigins,
    isLoopback,
    zooKeeperHosts: readZooKeeperHosts(env)
  }
}

function readZooKeeperHosts ({ REGISTRY, REDIS_URL, ZOOKEEPER_HOSTS }: Static<typeof EnvSchema>): string | undefined {
  if (REGISTRY === undefined && REDIS_URL !== undefined && ZOOKEEPER_HOSTS !== undefined) {
    throw new Error('REDIS_URL and ZOOKEEPER_HOSTS are both set, and only one of the two can say which node holds a ' +
      'room: unset one, or set REGISTRY=redis or REGISTRY=zookeeper on all processes alike')
  }
  if (REGISTRY === 'redis' && REDIS_URL === undefined) throw new Error('REDIS_URL must be set when REGISTRY is redis')
  if (REGISTRY === 'zookeeper' && ZOOKEEPER_HOSTS === undefined) {
    throw new Error('ZOOKEEPER_HOSTS must be set when REGISTRY is zookeeper')
  }
  return REGISTRY === 'redis' ? undefined : ZOOKEEPER_HOSTS
}
