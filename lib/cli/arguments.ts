import { parseArgs } from 'node:util'
import { UsageError } from './exit.js'
import type { ParseArgsConfig } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>
type Values<O extends Options> = { [Name in keyof O]?: O[Name]['type'] extends 'boolean' ? boolean : string }

export interface Arguments<O extends Options> {
  values: Values<O>
  /** As many as were named. */
  positionals: string[]
}

/**
 * @param names of the positional arguments, all of them mandatory
 * @throws UsageError that names the argument
 */
export function readArguments<O extends Options> (args: string[], options: O, names: string[] = []): Arguments<O> {
  const { values, positionals } = parse(args, options)
  const missing = names[positionals.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing: see --help`)
  const extra = positionals[names.length]
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}": see --help`)
  // parseArgs documents these types; no option is `multiple`.
  return { values: values as Values<O>, positionals }
}

function parse (args: string[], options: Options) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Reads a time such as `500ms`, `30s`, `10m` or `1h`.
 *
 * @returns milliseconds
 * @throws UsageError that names the argument
 */
export function readTime (text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const [, count, unit = ''] = /^(\d{1,7})(ms|s|m|h)$/.exec(text) ?? []
  const ms = UNITS[unit]
  if (ms === undefined) throw new UsageError(`${name} must be a time such as 30s, 10m or 1h`)
  return Number(count) * ms
}
