import { Type } from '@sinclair/typebox'
import { checkOptions, FunctionOption, ObjectWithMethods } from '../common/check-options.js'
import { checkOrigins, OriginsSchema } from '../common/origins.js'
import type { AdminOptions, AuthorizeOperator } from '../../types/admin.js'
import type { RegistryOperations } from '../../types/operations.js'
import type { Registry } from '../../types/registry.js'

/** In Fastify's list of plugins, and in messages about options. */
export const ADMIN_NAME = 'fastify-cobrowse/admin'

const REGISTRY_RULE = 'a registry with "operations", such as redisRegistry({ redis }), and may be left out only if ' +
  'fastify-cobrowse is registered before, in this scope or an outer one'

const OptionsSchema = Type.Object({
  registry: ObjectWithMethods(REGISTRY_RULE, 'start', 'close'),
  authorize: FunctionOption('a function (request) => author, which returns the name of the operator, or a falsy ' +
    'value to refuse. It has no default, since an operator can empty every node: see docs/admin.md'),
  allowedOrigins: Type.Optional(OriginsSchema),
  timeout: Type.Optional(Type.Integer({
    minimum: 100, maximum: 60_000, description: 'an integer from 100 to 60000, in milliseconds'
  })),
  // Fastify passes these to every plugin beside its own options.
  prefix: Type.Optional(Type.String({ description: 'a path' })),
  logLevel: Type.Optional(Type.String({ description: 'a log level' })),
  logSerializers: Type.Optional(Type.Object({}, { description: 'an object' }))
}, { additionalProperties: false })

export const ADMIN_DEFAULTS = Object.freeze({ allowedOrigins: Object.freeze([]), timeout: 5000 })

/** Checked, complete and frozen. */
export interface AdminSettings {
  readonly registry: Registry
  readonly operations: RegistryOperations
  readonly authorize: AuthorizeOperator
  readonly allowedOrigins: readonly string[]
  readonly timeout: number
}

/**
 * @param visible the registry that the main plugin decorated the application with, if there is one
 * @throws TypeError that names all wrong options and their rules
 */
export function readAdminOptions (given: AdminOptions, visible: Registry | undefined): AdminSettings {
  const { registry = visible } = given
  checkOptions(ADMIN_NAME, OptionsSchema, { ...given, ...registry && { registry } })
  const operations = registry?.operations
  if (registry === undefined || operations === undefined) {
    throw new TypeError(`"registry" option of ${ADMIN_NAME} must be ${REGISTRY_RULE}: it has no "operations"`)
  }
  const { authorize, allowedOrigins = ADMIN_DEFAULTS.allowedOrigins, timeout = ADMIN_DEFAULTS.timeout } = given
  checkOrigins(allowedOrigins)
  return Object.freeze({ registry, operations, authorize, allowedOrigins, timeout })
}
