import { randomBytes } from 'node:crypto'
import envSchema from 'env-schema'
import { Type } from '@sinclair/typebox'
import { readAgents } from './agents.js'
import { isLoopbackName } from './routes/loopback.js'
import type { Static } from '@sinclair/typebox'

/** Published with the project: any reader can sign with this key. */
const SAMPLE_KEY = 'sample key of the demo, never use it elsewhere'
/** Hosts that a signature of the sample key may lead to. */
const LOOPBACK_HOSTS = ['localhost', '127.0.0.0/8', '::1']

export const EnvSchema = Type.Object({
  PORT: Type.Integer({ default: 8446, minimum: 0, maximum: 65_535, description: 'port to listen on; 0 takes a free one' }),
  HOST: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
  LOG_LEVEL: Type.String({ default: 'warn', description: 'lowest level that is logged' }),
  COBROWSE_KEY: Type.Optional(Type.String({
    minLength: 32, description: 'signing key, at least 32 bytes; by default the sample key, for loopback only'
  })),
  COBROWSE_KEY_ID: Type.String({ default: 'demo', description: 'id of the signing key' }),
  COBROWSE_KEY_PREVIOUS: Type.Optional(Type.String({ minLength: 32, description: 'previous key, still accepted' })),
  COBROWSE_KEY_PREVIOUS_ID: Type.String({ default: 'previous', description: 'id of the previous key' }),
  REDIS_URL: Type.Optional(Type.String({ description: 'Redis for registry and token store, instead of memory' })),
  ZOOKEEPER_HOSTS: Type.Optional(Type.String({
    description: 'ZooKeeper for the registry, host:port,host:port/chroot; without REDIS_URL tokens stay in memory'
  })),
  ZOOKEEPER_AUTH: Type.Optional(Type.String({ description: 'digest credentials for ZooKeeper, user:password' })),
  REGISTRY: Type.Optional(Type.Unsafe<'redis' | 'zookeeper'>({
    type: 'string', enum: ['redis', 'zookeeper'], description: 'redis or zookeeper: the registry; required if both are set'
  })),
  TOKEN_PREFIX: Type.String({ default: 'TOKENKEY:', description: 'prefix of the keys of tokens in Redis' }),
  PROVISION_URL: Type.Optional(Type.String({ description: 'URL that returns the external address' })),
  PROVISION_PICK: Type.String({ default: '/data/address', description: 'JSON pointer to the address in that answer' }),
  PUBLIC_URL: Type.Optional(Type.String({
    description: 'address of this process for browsers, wss://host[:port]; required if HOST is not loopback'
  })),
  TRUST_PROXY: Type.Optional(Type.String({
    description: 'addresses or ranges of the load balancers, comma-separated; the X-Forwarded headers of others do not count'
  })),
  ALLOWED_ORIGINS: Type.String({ default: '', description: 'origins of other web pages that may send requests, comma-separated' }),
  AGENTS: Type.Optional(Type.String({
    description: 'sessions that may watch: user ids, or channel: and a channel id, comma-separated, each with at most one *'
  })),
  AUTHORIZE_URL: Type.Optional(Type.String({
    description: 'URL that authorizes each request; beyond loopback, this or AGENTS is required'
  })),
  NODES: Type.Integer({ default: 2, minimum: 0, maximum: 16, description: 'relay nodes in this process' }),
  NODE_PREFIX: Type.String({
    default: `${process.pid}-${randomBytes(3).toString('hex')}`, description: 'prefix of the ids of the relay nodes'
  }),
  SHUTDOWN_DELAY: Type.Integer({
    default: 0, minimum: 0, maximum: 60_000, description: 'milliseconds that /readyz answers no before the server closes'
  }),
  DRAIN_DEADLINE: Type.Integer({
    default: 0, minimum: 0, maximum: 3_600_000, description: 'milliseconds that calls may continue after a SIGTERM'
  }),
  RETURN_WITHIN: Type.Integer({
    default: 2000, minimum: 0, maximum: 600_000, description: 'milliseconds over which clients spread their return after that'
  })
})

type Variables = Static<typeof EnvSchema>

export interface Env extends Variables {
  COBROWSE_KEY: string
  allowedOrigins: string[]
  /** Hosts that an answer may lead to. Omitted: any. */
  allowedHosts: string[] | undefined
  /** Whether the server listens, and is reached, on this machine only. */
  isLoopback: boolean
  /** Omitted unless the registry is in ZooKeeper. */
  zooKeeperHosts: string | undefined
}

/** @throws Error that names the variable */
export function readEnv (data: Record<string, string | undefined> = process.env): Env {
  const env = envSchema<Variables>({ schema: EnvSchema, data, env: false })
  if (env.PUBLIC_URL !== undefined) env.PUBLIC_URL = readPublicUrl(env.PUBLIC_URL)
  checkAuthorization(env)
  const beyond = nameBeyondLoopback(env)
  if (beyond !== undefined) checkBeyondLoopback(env, beyond)
  const key = env.COBROWSE_KEY ?? SAMPLE_KEY
  return {
    ...env,
    COBROWSE_KEY: key,
    allowedOrigins: env.ALLOWED_ORIGINS.split(',').map((origin) => origin.trim()).filter((origin) => origin !== ''),
    allowedHosts: key === SAMPLE_KEY ? LOOPBACK_HOSTS : undefined,
    isLoopback: beyond === undefined,
    zooKeeperHosts: readZooKeeperHosts(env)
  }
}

/** The variable by which the server is reached from other machines, if there is one. */
function nameBeyondLoopback ({ HOST, PUBLIC_URL }: Variables): string | undefined {
  if (!isLoopbackName(HOST)) return 'HOST'
  return PUBLIC_URL !== undefined && !isLoopbackName(new URL(PUBLIC_URL).hostname) ? 'PUBLIC_URL' : undefined
}

function checkBeyondLoopback (env: Variables, beyond: string): void {
  const { COBROWSE_KEY: key, COBROWSE_KEY_PREVIOUS: previous, PUBLIC_URL, AGENTS, AUTHORIZE_URL } = env
  if (key === undefined || key === SAMPLE_KEY) {
    throw new Error(`COBROWSE_KEY must be set when ${beyond} is not loopback: the sample key is published`)
  }
  if (previous === SAMPLE_KEY) {
    throw new Error(`COBROWSE_KEY_PREVIOUS must not be the sample key when ${beyond} is not loopback: it is published`)
  }
  if (PUBLIC_URL === undefined) {
    throw new Error('PUBLIC_URL must be set when HOST is not loopback: browsers refuse ws: beyond their own machine')
  }
  if (AGENTS === undefined && AUTHORIZE_URL === undefined) {
    throw new Error(`AGENTS or AUTHORIZE_URL must be set when ${beyond} is not loopback: without a decision, any ` +
      'customer could watch, and end, the calls of all others')
  }
}

function checkAuthorization ({ AGENTS, AUTHORIZE_URL }: Variables): void {
  if (AGENTS !== undefined) readAgents(AGENTS)
  if (AUTHORIZE_URL === undefined) return
  if (AGENTS !== undefined) throw new Error('AGENTS and AUTHORIZE_URL are both set: unset one, since one alone decides')
  const url = URL.canParse(AUTHORIZE_URL) ? new URL(AUTHORIZE_URL) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.password + url.hash !== '') {
    throw new Error('AUTHORIZE_URL must be an http:// or https:// URL without credentials or fragment')
  }
}

function readPublicUrl (publicUrl: string): string {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (url === undefined || !/^wss?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new Error('PUBLIC_URL must be wss://host[:port], without path, query or credentials')
  }
  if (url.protocol === 'ws:' && !isLoopbackName(url.hostname)) {
    throw new Error('PUBLIC_URL must begin with wss:// unless it is loopback: browsers refuse ws: elsewhere')
  }
  return url.origin
}

function readZooKeeperHosts ({ REGISTRY, REDIS_URL, ZOOKEEPER_HOSTS }: Variables): string | undefined {
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
