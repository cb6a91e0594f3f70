import type { RecorderConnection, RecorderNote, RecorderOptions, RrwebRecord } from '../../types/recorder.js'

export interface RecorderSettings {
  connection: RecorderConnection
  record: RrwebRecord
  /** Selector of the integrator. */
  private: string | undefined
  maskAll: boolean
  /** Selector of the parts that `maskAll` leaves as they are. */
  show: string | undefined
  onNote: ((note: RecorderNote) => void) | undefined
  signal: AbortSignal | undefined
}

type Rule = [isValid: (value: unknown) => boolean, rule: string]

const isFunction = (value: unknown) => typeof value === 'function'
const membersOf = (value: unknown): Record<string, unknown> => Object(value)

function isSelector (value: unknown): boolean {
  if (typeof value !== 'string') return false
  try {
    document.createDocumentFragment().querySelector(value)
    return true
  } catch {
    return false
  }
}

function isMask (value: unknown): boolean {
  if (typeof value === 'boolean') return true
  const { show, ...others } = membersOf(value)
  return typeof value === 'object' && isSelector(show) && Object.keys(others).length === 0
}

const RULES: Record<keyof RecorderOptions, Rule> = {
  connection: [
    (value) => isFunction(membersOf(value).send) && isFunction(membersOf(value).on),
    'a connection of fastify-cobrowse/client'
  ],
  record: [
    (value) => isFunction(value) && isFunction(membersOf(value).takeFullSnapshot) && Boolean(membersOf(value).mirror),
    'the function record of rrweb 2'
  ],
  private: [isSelector, 'a CSS selector such as .account, [data-secret]'],
  maskAll: [isMask, 'a boolean, or { show } with a CSS selector'],
  onNote: [isFunction, 'a function'],
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal']
}
const names = Object.keys(RULES)
const MANDATORY: ReadonlyArray<keyof RecorderOptions> = ['connection', 'record']

/** @throws TypeError that names the option and the rule */
export function readRecorderOptions (options: RecorderOptions): RecorderSettings {
  for (const name of MANDATORY) if (options?.[name] === undefined) fail(name)
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) throw new TypeError(`startRecorder has no option "${name}"`)
    // One of the names, as checked above.
    const known = name as keyof RecorderOptions
    if (value !== undefined && !RULES[known][0](value)) fail(known)
  }
  const { connection, record, maskAll = false, onNote, signal } = options
  return {
    connection,
    record,
    private: options.private,
    maskAll: maskAll !== false,
    show: typeof maskAll === 'object' ? maskAll.show : undefined,
    onNote,
    signal
  }
}

function fail (name: keyof RecorderOptions): never {
  throw new TypeError(`"${name}" option of startRecorder must be ${RULES[name][1]}`)
}
