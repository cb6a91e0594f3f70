import { Value, ValueErrorType } from '@sinclair/typebox/value'
import { InvalidBodyError } from '../errors.js'
import type { TSchema } from '@sinclair/typebox'
import type { ValueError } from '@sinclair/typebox/value'

/**
 * Checks a body, the parameters of a path or a query against a closed schema. The `description` of each field completes
 * the sentence "… must be". Converts nothing: the host's own validator may turn `"5"` into 5.
 *
 * @throws InvalidBodyError that names the field
 */
export function checkInput (schema: TSchema, input: unknown): void {
  const fault = Value.Errors(schema, input).First()
  if (fault !== undefined) throw new InvalidBodyError(describe(fault, schema))
}

function describe ({ path, type, schema }: ValueError, { properties }: TSchema): string {
  const name = path.slice(1)
  if (name === '') return 'the body must be a JSON object'
  if (type !== ValueErrorType.ObjectAdditionalProperties) return `${name} must be ${schema.description}`
  return `the body takes ${Object.keys(properties).join(', ')}, and nothing else`
}

/** Waits for the registry, which may have stricter rules: its TypeError names the field. */
export async function namingField<T> (work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new InvalidBodyError(cause.message.replace(/^"(\w+)" option of \w+/, '$1'), { cause })
  }
}
