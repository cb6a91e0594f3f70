import { Type } from '@sinclair/typebox'
import { Value, ValueErrorType } from '@sinclair/typebox/value'
import type { TObject, TSchema } from '@sinclair/typebox'
import type { ValueError } from '@sinclair/typebox/value'

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
 * @throws TypeError that names all wrong options and their rules, never a value
 */
export function checkOptions (of: string, schema: TObject, options: unknown): void {
  const faults = new Map<string, string>()
  for (const error of [...Value.Errors(schema, options ?? {})].flatMap(detailed)) {
    const name = error.path.slice(1).replaceAll('/', '.')
    if (name === '') throw new TypeError(`the options of ${of} must be an object`)
    if (!faults.has(name)) faults.set(name, describe(of, schema, name, error))
  }
  addMissingMethods(of, schema, new Map(Object.entries(options ?? {})), faults)
  if (faults.size > 0) throw new TypeError([...faults.values()].join('; '))
}

// Of an option that may be a list or something else, a wrong list has an entry to name.
function detailed (error: ValueError): ValueError[] {
  const variants: TSchema[] = error.schema.anyOf ?? []
  const list = Array.isArray(error.value) ? variants.findIndex(({ type }) => type === 'array') : -1
  const found = [...error.errors[list] ?? []]
  return found.length > 0 ? found : [error]
}

function describe (of: string, { properties }: TObject, name: string, { type, schema, message }: ValueError): string {
  if (type === ValueErrorType.ObjectAdditionalProperties) {
    return `"${name}" is not an option of ${of}; it takes ${Object.keys(properties).join(', ')}`
  }
  return `"${name}" option of ${of} must be ${schema.description ?? message}`
}

// TypeBox sees own properties only, but an ioredis client or a prom-client registry inherits its methods from a class.
function addMissingMethods (
  of: string, schema: TObject, options: Map<string, Record<string, unknown>>, faults: Map<string, string>
): void {
  for (const [name, { methods = [], description }] of Object.entries(schema.properties)) {
    // A mandatory option that is undefined has a fault already.
    const option = options.get(name)
    if (option === undefined || faults.has(name)) continue
    const missing = (methods as string[]).find((method) => typeof option[method] !== 'function')
    if (missing === undefined) continue
    faults.set(name, `"${name}" option of ${of} must be ${description}: it has no method "${missing}"`)
  }
}
