import type { ReplayerOptions } from '../../types/replayer.js'

const DEFAULT_TITLE = 'The shared page'

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isFunction = (value: unknown) => typeof value === 'function'

const RULES: Record<keyof ReplayerOptions, [isValid: (value: unknown) => boolean, rule: string]> = {
  root: [(value) => isObject(value) && value.isConnected === true, 'an element inside the page'],
  connection: [(value) => isObject(value) && isFunction(value.on) && isFunction(value.send), 'a connection of the client'],
  Replayer: [isFunction, 'the class Replayer of rrweb'],
  title: [(value) => typeof value === 'string', 'a string'],
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal']
}
const names = Object.keys(RULES)
const MANDATORY = ['root', 'connection', 'Replayer'] as const

/** @throws TypeError that names the option and the rule */
export function readReplayerOptions (options: ReplayerOptions) {
  for (const name of MANDATORY) if (options?.[name] === undefined) fail(name)
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) throw new TypeError(`createReplayer has no option "${name}"`)
    if (value !== undefined && !RULES[name as keyof ReplayerOptions][0](value)) fail(name as keyof ReplayerOptions)
  }
  const { title = DEFAULT_TITLE } = options
  return { ...options, title }
}

function fail (name: keyof ReplayerOptions): never {
  throw new TypeError(`"${name}" option of createReplayer must be ${RULES[name][1]}`)
}
