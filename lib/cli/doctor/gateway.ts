import { readClientOptions } from '../../client/settings.js'
import { UsageError } from '../exit.js'
import { environment } from '../store.js'
import { reasonOf } from './check.js'
import { checkConnection, newRoom } from './connection.js'
import { fault, notChecked, ok } from './finding.js'
import type { CheckNodeOptions } from '../../../types/testing.js'
import type { Finding } from './finding.js'
import type { Secrets } from './secrets.js'

const DEMO = 'http://127.0.0.1:8446'
const DEMO_USER = 'doctor'
const ASK_MS = 3000

/** The gateway and the user of a connection. */
export interface Target {
  url: URL
  user: string
  /** Left out: the demo issues one. */
  token: string | undefined
}

type Values = Partial<Record<'gateway' | 'token' | 'user', string>> & { demo?: boolean }

/**
 * @returns undefined if no gateway is given
 * @throws UsageError
 */
export function readTarget (values: Values): Target | undefined {
  const isDemo = values.demo === true
  const text = values.gateway ?? (isDemo ? DEMO : undefined)
  if (text === undefined) return undefined
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol) || /[@?#]/.test(text)) {
    throw new UsageError('--gateway must be a URL such as https://gateway.example, without credentials')
  }
  const token = isDemo ? undefined : values.token ?? environment('COBROWSE_TOKEN')
  const user = values.user ?? (isDemo ? DEMO_USER : undefined)
  if (!isDemo && token === undefined) throw new UsageError('--gateway needs --token, or COBROWSE_TOKEN')
  if (user === undefined) throw new UsageError('--gateway needs --user, the user of the token')
  return { url: new URL(text), user, token }
}

/** Makes one whole connection through the gateway. */
export async function checkGateway (
  target: Target | undefined, WebSocket: CheckNodeOptions['WebSocket'] | undefined, secrets: Secrets
): Promise<Finding[]> {
  if (target === undefined || WebSocket === undefined) {
    return [notChecked('ask', 'no connection is made: give --gateway URL --token TOKEN --user USER, or --demo')]
  }
  const { url, user, token: given } = target
  const issued = given === undefined ? await askDemo(url, user) : { token: given }
  if ('outcome' in issued) return [issued]
  const { token } = issued
  secrets.add(token)
  const options = { roomId: newRoom(), userId: user, userName: 'doctor', role: 'recorder' } as const
  const settings = readClientOptions({ baseUrl: url.href, token, WebSocket: Unused, timeout: ASK_MS, ...options })
  const findings = await checkConnection({ settings, WebSocket, secrets })
  return given === undefined ? [ok('token', 'the demo issues one'), ...findings] : findings
}

/** The client's own WebSocket does not tell the status of a refusal, so the connection is made by another one. */
const Unused = class {} as never

async function askDemo (url: URL, userId: string): Promise<{ token: string } | Finding> {
  try {
    const response = await fetch(new URL('/demo/session', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId }),
      signal: AbortSignal.timeout(ASK_MS)
    })
    if (response.status !== 200) throw new Error(`it answers ${response.status}`)
    const { token } = Object(await response.json())
    if (typeof token !== 'string') throw new Error('its answer has no token')
    return { token }
  } catch (error) {
    return fault('token', `the demo at ${url.host} issues none: ${reasonOf(error)}`,
      'start it on this machine by npm start; for another gateway give --token and --user')
  }
}
