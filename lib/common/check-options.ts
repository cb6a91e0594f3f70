import { Type } from '@sinclair/typebox'
import { Value, ValueErrorType } from '@sinclair/typebox/value'
import type { TObject } from '@sinclair/typebox'

/** A function; `rule` completes the sentence "… option must be". */
export const FunctionOption = (rule: string) => Type.Function([], Type.Unknown(), { description: rule })

/** An object that must have these methods, as its own or from its class. */
export const ObjectWithMethods = (rule: string, ...methods: string[]) =>
  Type.Object({}, { description: rule, methods })

/**
 * Checks the options of the plugin or of an adapter against a closed schema. The `description` of each part completes
 * the sentence "… option must be".
 *
 * @param of the owner of the options
 * @throws TypeError that names the option and the rule, never the value
 */
export function checkOptions (of: string, schema: TObject, options: unknown): void {
  const error = Value.Errors(schema, options ?? {}).First()
  if (error === undefined) return checkMethods(of, schema, new Map(Object.entries(options ?? {})))
  const name = error.path.slice(1).replaceAll('/', '.')
  if (name === '') throw new TypeError(`the options of ${of} must be an object`)
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    throw new TypeError(`"${name}" is not an option of ${of}; it takes ${Object.keys(schema.properties).join(', ')}`)
  }
  throw new TypeError(`"${name}" option of ${of} must be ${error.schema.description ?? error.message}`)
}

// TypeBox sees own properties only, but an ioredis client or a prom-client registry inherits its methods from a class.
function checkMethods (of: string, schema: TObject, options: Map<string, Record<string, unknown>>): void {
  for (const [name, { methods = [], description }] of Object.entries(schema.properties)) {
    const missing = (methods as string[]).find((method) => options.has(name) && typeof options.get(name)?.[method] !== 'function')
    if (missing !== undefined) {
      throw new TypeError(`"${name}" option of ${of} must be ${description}: it has no method "${missing}"`)
    }
  }
}
