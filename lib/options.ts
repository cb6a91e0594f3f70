import { Type } from '@sinclair/typebox'
import { checkOptions, FunctionOption, ObjectWithMethods } from './check-options.js'
import { toBytes } from './signature.js'
import type { CobrowseOptions, SigningKey } from '../types/index.js'

const MIN_SECRET_BYTES = 32

const seconds = (minimum: number) => Type.Integer({
  minimum, description: `an integer of at least ${minimum}, in seconds`
})
const Key = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$', description: '1 to 64 of A-Z a-z 0-9 . _ : -' }),
  secret: Type.Union([Type.String(), Type.Uint8Array()], { description: 'a string or bytes' })
}, { additionalProperties: false, description: 'an object { id, secret }' })

const adapter = (rule: string, method: string) => ObjectWithMethods(rule, method, 'start', 'status', 'close')

export const OptionsSchema = Type.Object({
  sessions: adapter('a token store such as redisSessions({ redis })', 'find'),
  registry: adapter('a registry such as redisRegistry({ redis })', 'assign'),
  provision: adapter('a provision adapter such as httpProvision({ url })', 'externalUrl'),
  signing: Type.Object({
    keys: Type.Array(Key, { minItems: 1, description: 'a list of at least one { id, secret }' }),
    ttl: Type.Optional(seconds(1)),
    skew: Type.Optional(seconds(1))
  }, { additionalProperties: false, description: 'an object { keys, ttl?, skew? }' }),
  authorize: FunctionOption('a function (session, body, request) => boolean that says who may take which role in ' +
    'which room. It has no default, since a customer\'s token must not let its holder replay a room whose id can be ' +
    'guessed: see docs/security.md'),
  path: Type.Optional(Type.String({ pattern: '^/[^?#\\s]*$', description: 'a path that begins with /' })),
  prefix: Type.Optional(Type.String({ pattern: '^(/[^?#\\s]*)?$', description: 'a path that begins with /, or empty' })),
  allowedOrigins: Type.Optional(Type.Array(
    Type.String({ description: 'an origin, such as https://app.example' }), { description: 'a list of origins' }
  )),
  allowedHosts: Type.Optional(Type.Array(Type.String({ description: 'a host name, an address or a CIDR range' }), {
    description: 'a list of host names, addresses or CIDR ranges'
  })),
  allowInsecure: Type.Optional(Type.Boolean({ description: 'true or false' })),
  timeout: Type.Optional(Type.Integer({
    minimum: 100, maximum: 60_000, description: 'an integer from 100 to 60000, in milliseconds'
  })),
  maxInFlight: Type.Optional(Type.Integer({ minimum: 1, description: 'an integer of at least 1' })),
  joinOnlyFor: Type.Optional(seconds(0)),
  selectNode: Type.Optional(FunctionOption('a function (candidates, context) => candidates')),
  metrics: Type.Optional(ObjectWithMethods('a prom-client registry', 'registerMetric', 'getSingleMetric')),
  routeOptions: Type.Optional(Type.Object({}, { description: 'an object of Fastify route options' })),
  // Fastify hands every plugin these two beside its own options.
  logLevel: Type.Optional(Type.String({ description: 'a log level' })),
  logSerializers: Type.Optional(Type.Object({}, { description: 'an object' }))
}, { additionalProperties: false })

export const DEFAULTS = Object.freeze({
  signing: Object.freeze({ ttl: 15, skew: 5 }),
  path: '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo',
  prefix: '',
  allowedOrigins: Object.freeze([]),
  allowInsecure: false,
  timeout: 1500,
  maxInFlight: 1000,
  joinOnlyFor: 600
})

type WithDefaults<T, D> = Omit<T, keyof D> & { [K in keyof D & keyof T]-?: NonNullable<T[K]> }

/** Checked, complete and frozen. The caller's own object stays as it was. */
export type Settings = Readonly<
  WithDefaults<Omit<CobrowseOptions, 'signing'>, Omit<typeof DEFAULTS, 'signing'>> & {
    signing: { keys: readonly SigningKey[], ttl: number, skew: number }
  }
>

/** @throws TypeError that names the option and the rule */
export function readOptions (options: CobrowseOptions): Settings {
  checkOptions('fastify-cobrowse', OptionsSchema, options)
  const settings: Settings = Object.freeze({
    ...DEFAULTS,
    ...withoutUndefined(options),
    signing: Object.freeze({
      ...DEFAULTS.signing,
      ...withoutUndefined(options.signing),
      keys: Object.freeze(options.signing.keys.map(copyKey))
    })
  })
  checkKeys(settings.signing.keys)
  settings.allowedOrigins.forEach(checkOrigin)
  checkLifetime(settings)
  return settings
}

function checkKeys (keys: readonly SigningKey[]): void {
  keys.forEach(({ id, secret }, index) => {
    if (toBytes(secret).byteLength < MIN_SECRET_BYTES) {
      throw new TypeError(`"signing.keys.${index}.secret" option must be at least ${MIN_SECRET_BYTES} bytes long`)
    }
    if (keys.findIndex((key) => key.id === id) !== index) {
      throw new TypeError(`"signing.keys.${index}.id" option must differ from the id of every other key`)
    }
  })
}

function checkOrigin (origin: string, index: number): void {
  if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
    throw new TypeError(`"allowedOrigins.${index}" option must be an origin such as https://app.example`)
  }
}

// A signature that outlives its binding could name another node than the next one does.
function checkLifetime ({ registry: { linger }, signing: { ttl, skew } }: Settings): void {
  if (linger !== undefined && ttl + skew > linger) {
    throw new TypeError(`"signing.ttl" option plus "signing.skew" must be at most the ${linger} seconds that the ` +
      `registry lingers: give the registry { linger: ${ttl + skew} }`)
  }
}

function copyKey ({ id, secret }: SigningKey): SigningKey {
  return Object.freeze({ id, secret: typeof secret === 'string' ? secret : Uint8Array.from(secret) })
}

// A property that was left out and one that is undefined mean the same to a caller.
function withoutUndefined<T extends object> (object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  // fromEntries forgets the names.
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}
