import { Type } from '@sinclair/typebox'
import { Value, ValueErrorType } from '@sinclair/typebox/value'
import type { TObject } from '@sinclair/typebox'

/** A function; `rule` completes the sentence "… option must be". */
export const FunctionOption = (rule: string) => Type.Function([], Type.Unknown(), { description: rule })

/** An object, of which these methods are used. */
export function ObjectWithMethods (rule: string, ...methods: string[]) {
  const schemas = methods.map((name) => [name, FunctionOption(`a method, since ${rule} is expected`)])
  return Type.Object(Object.fromEntries(schemas), { description: rule })
}

/**
 * Checks the options of the plugin or of an adapter against a closed schema. The `description` of each part
 * completes the sentence "… option must be".
 *
 * @param of whose options they are
 * @throws TypeError that names the option and the rule, never the value
 */
export function checkOptions (of: string, schema: TObject, options: unknown): void {
  const error = Value.Errors(schema, options ?? {}).First()
  if (error === undefined) return
  const name = error.path.slice(1).replaceAll('/', '.')
  if (name === '') throw new TypeError(`the options of ${of} must be an object`)
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    throw new TypeError(`"${name}" is not an option of ${of}; it takes ${Object.keys(schema.properties).join(', ')}`)
  }
  throw new TypeError(`"${name}" option of ${of} must be ${error.schema.description ?? error.message}`)
}
