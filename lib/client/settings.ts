import type { ClientSocket, ConnectOptions } from '../../types/client.js'

const PATH = '/service-cloud/rest/webadapter/v1/connectionInfo/'

/** Above this delay a timer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const CLIENT_DEFAULTS = Object.freeze({
  path: `${PATH}getConnectionInfo`,
  releasePath: `${PATH}releaseConnection`,
  address: 'wssUrlOut',
  timeout: 5000,
  minWait: 250,
  maxWait: 10_000,
  idleTimeout: 0
} as const)

type Given = Required<Pick<ConnectOptions, 'roomId' | 'userId' | 'userName' | 'role'>>
type WithDefault = { [N in keyof typeof CLIENT_DEFAULTS]-?: NonNullable<ConnectOptions[N]> }

export interface ClientSettings extends Given, WithDefault {
  token: ConnectOptions['token']
  onMessage: ConnectOptions['onMessage']
  signal: AbortSignal | undefined
  url: string
  endUrl: string
  WebSocket: new (url: string, protocols: string[]) => ClientSocket
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isFunction = (value: unknown) => typeof value === 'function'
const isMilliseconds = (minimum: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= minimum && Number(value) <= MAX_TIMER_MS

/**
 * Node.js 22 takes quadratic time for a host of many labels (`npm run test:nodes -- test/system/linear-time.test.ts`).
 */
const MAX_URL_LENGTH = 2048
const isShort = (value: unknown) => isText(value) && String(value).length <= MAX_URL_LENGTH

const RULES: Record<keyof ConnectOptions, [isValid: (value: unknown) => boolean, rule: string]> = {
  baseUrl: [isShort, 'a URL such as https://gateway.example, of at most 2048 characters'],
  path: [isText, 'a path'],
  releasePath: [isText, 'a path'],
  roomId: [isText, 'a string'],
  userId: [isText, 'a string'],
  userName: [isText, 'a string'],
  role: [(value) => value === 'recorder' || value === 'replayer', '"recorder" or "replayer"'],
  token: [(value) => isText(value) || isFunction(value), 'a string or a function'],
  address: [(value) => value === 'wssUrl' || value === 'wssUrlOut', '"wssUrl" or "wssUrlOut"'],
  onMessage: [isFunction, 'a function'],
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal'],
  timeout: [isMilliseconds(1), 'an integer of at least 1, in milliseconds'],
  minWait: [isMilliseconds(1), 'an integer of at least 1, in milliseconds'],
  maxWait: [isMilliseconds(1), 'an integer of at least 1, in milliseconds'],
  idleTimeout: [isMilliseconds(0), 'an integer of at least 0, in milliseconds'],
  WebSocket: [isFunction, 'a class such as that of ws']
}
const names = Object.keys(RULES)
const MANDATORY: ReadonlyArray<keyof ConnectOptions> = ['roomId', 'userId', 'userName', 'role']

/** @throws TypeError that names the option and the rule */
export function readClientOptions (options: ConnectOptions): ClientSettings {
  for (const name of NEEDED) {
    if (typeof platform[name] !== 'function') throw new TypeError(`connect needs ${name}, which this browser does not have`)
  }
  for (const name of MANDATORY) if (options?.[name] === undefined) fail(name, RULES[name][1])
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) throw new TypeError(`connect has no option "${name}"`)
    const [isValid, rule] = RULES[name as keyof ConnectOptions]
    if (value !== undefined && !isValid(value)) fail(name, rule)
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  // Checked above, name by name.
  const settings = { ...CLIENT_DEFAULTS, ...given } as Given & WithDefault & ConnectOptions
  const { baseUrl = pageOrigin() ?? fail('baseUrl', 'given outside of a page') } = settings
  const WebSocket = settings.WebSocket ?? platform.WebSocket ?? fail('WebSocket', 'given here: pass that of ws')
  return {
    ...settings,
    token: settings.token,
    onMessage: settings.onMessage,
    signal: settings.signal,
    url: join(baseUrl, settings.path),
    endUrl: join(baseUrl, settings.releasePath),
    WebSocket
  }
}

// Typed by structure: the types of Node.js lack the one, and those of a browser do not fit ws.
const platform = globalThis as {
  WebSocket?: ClientSettings['WebSocket']
  location?: { origin: string }
  fetch?: unknown
  AbortController?: unknown
}
/** Without these every attempt would fail, for ever. */
const NEEDED = ['fetch', 'AbortController'] as const
const pageOrigin = () => platform.location?.origin

function join (baseUrl: string, path: string): string {
  let end = baseUrl.length
  while (baseUrl.endsWith('/', end)) end--
  const url = `${baseUrl.slice(0, end)}/${path.replace(/^\/+/, '')}`
  try {
    return new URL(url).href
  } catch {
    return fail('baseUrl', RULES.baseUrl[1])
  }
}

function fail (name: string, rule: string): never {
  throw new TypeError(`"${name}" option of connect must be ${rule}`)
}
