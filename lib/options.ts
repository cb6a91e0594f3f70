import { Type } from '@sinclair/typebox'
import { checkOptions, FunctionOption, ObjectWithMethods } from './common/check-options.js'
import { seconds } from './common/durations.js'
import { checkOrigins, OriginsSchema } from './common/origins.js'
import { checkLifetime, readSigning, SIGNING_DEFAULTS, SigningSchema } from './signing/options.js'
import type { SigningSettings } from './signing/options.js'
import type { CobrowseOptions } from '../types/index.js'

/** In Fastify's list of plugins, in messages about options, and in each log line of the plugin. */
export const PLUGIN_NAME = 'fastify-cobrowse'

const Path = Type.String({ pattern: '^/[^?#\\s]*$', description: 'a path that begins with /' })

const adapter = (rule: string, method: string) => ObjectWithMethods(rule, method, 'start', 'status', 'close')

export const OptionsSchema = Type.Object({
  sessions: adapter('a token store such as redisSessions({ redis })', 'find'),
  registry: adapter('a registry such as redisRegistry({ redis })', 'assign'),
  provision: adapter('a provision adapter such as httpProvision({ url })', 'externalUrl'),
  signing: SigningSchema,
  authorize: FunctionOption('a function (session, body, request) => boolean that says who may take which role in ' +
    'which room. It has no default, since a customer\'s token must not let its holder replay a room whose id can be ' +
    'guessed: see docs/security.md'),
  authorizeRelease: Type.Optional(FunctionOption('a function (session, body, request) => boolean')),
  path: Type.Optional(Path),
  releasePath: Type.Optional(Path),
  apiFabric: Type.Optional(Type.Object({
    authenticate: FunctionOption('a function (token, request) => session or null'),
    path: Type.Optional(Path)
  }, { additionalProperties: false, description: 'an object { authenticate, path? }' })),
  prefix: Type.Optional(Type.String({ pattern: '^(/[^?#\\s]*)?$', description: 'a path that begins with /, or empty' })),
  allowedOrigins: Type.Optional(OriginsSchema),
  allowedHosts: Type.Optional(Type.Array(Type.String({ description: 'a host name, an address or a CIDR range' }), {
    description: 'a list of host names, addresses or CIDR ranges'
  })),
  exposeInternal: Type.Optional(Type.Union([
    Type.Literal('always'), Type.Literal('never'), FunctionOption('a function')
  ], { description: '"always", "never" or a function (session, body, request) => boolean' })),
  allowInsecure: Type.Optional(Type.Boolean({ description: 'true or false' })),
  timeout: Type.Optional(Type.Integer({
    minimum: 100, maximum: 60_000, description: 'an integer from 100 to 60000, in milliseconds'
  })),
  maxInFlight: Type.Optional(Type.Integer({ minimum: 1, description: 'an integer of at least 1' })),
  joinOnlyFor: Type.Optional(seconds(0)),
  selectNode: Type.Optional(FunctionOption('a function (candidates, context) => candidates')),
  onIssued: Type.Optional(FunctionOption('a function (issued) => …')),
  start: Type.Optional(Type.Union([Type.Literal('lazy'), Type.Literal('strict')], { description: '"lazy" or "strict"' })),
  readyDelay: Type.Optional(Type.Integer({
    minimum: 0, maximum: 60_000, description: 'an integer from 0 to 60000, in milliseconds'
  })),
  decoratorName: Type.Optional(Type.String({
    pattern: '^[A-Za-z_$][A-Za-z0-9_$]*$', description: 'a name that can follow "app."'
  })),
  sharedOptions: Type.Optional(Type.Array(Type.String(), { description: 'a list of names of options' })),
  metrics: Type.Optional(ObjectWithMethods('a prom-client registry', 'registerMetric', 'getSingleMetric')),
  routeOptions: Type.Optional(Type.Object({}, { description: 'an object of Fastify route options' })),
  // Fastify passes these two to every plugin beside its own options.
  logLevel: Type.Optional(Type.String({ description: 'a log level' })),
  logSerializers: Type.Optional(Type.Object({}, { description: 'an object' }))
}, { additionalProperties: false })

export const DEFAULTS = Object.freeze({
  signing: SIGNING_DEFAULTS,
  path: '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo',
  releasePath: '/service-cloud/rest/webadapter/v1/connectionInfo/releaseConnection',
  prefix: '',
  allowedOrigins: Object.freeze([]),
  exposeInternal: 'always' as const,
  allowInsecure: false,
  timeout: 1500,
  maxInFlight: 1000,
  joinOnlyFor: 600,
  start: 'lazy' as const,
  readyDelay: 0,
  decoratorName: 'cobrowse',
  sharedOptions: Object.freeze([])
})

type WithDefaults<T, D> = Omit<T, keyof D> & { [K in keyof D & keyof T]-?: NonNullable<T[K]> }

/** Checked, complete and frozen. The caller's own object stays unchanged. */
export type Settings = Readonly<
  WithDefaults<Omit<CobrowseOptions, 'signing'>, Omit<typeof DEFAULTS, 'signing'>> & { signing: SigningSettings }
>

/** @throws TypeError that names the option and the rule */
export function readOptions (given: CobrowseOptions): Settings {
  const options = withoutShared(given)
  checkOptions(PLUGIN_NAME, OptionsSchema, options)
  const settings: Settings = Object.freeze({
    ...DEFAULTS,
    ...withoutUndefined(options),
    signing: readSigning(options.signing, true)
  })
  checkOrigins(settings.allowedOrigins)
  checkLifetime(settings.signing, settings.registry.linger)
  const { path, releasePath, apiFabric } = settings
  if (apiFabric?.path === path || apiFabric?.path === releasePath) {
    throw new TypeError('"apiFabric.path" option must differ from "path" and "releasePath"')
  }
  if (path === releasePath) throw new TypeError('"releasePath" option must differ from "path"')
  return settings
}

/** Leaves out the options that a loader gives to every plugin, and that it lists in `sharedOptions`. */
function withoutShared (options: CobrowseOptions): CobrowseOptions {
  const { sharedOptions } = options ?? {}
  if (!Array.isArray(sharedOptions)) return options
  const own = Object.entries(options).filter(([name]) => !sharedOptions.includes(name))
  // The type of `Object.fromEntries` loses the names.
  return Object.fromEntries(own) as unknown as CobrowseOptions
}

// An omitted property and one that is undefined mean the same to a caller.
function withoutUndefined<T extends object> (object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  // The type of `Object.fromEntries` loses the names.
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}
