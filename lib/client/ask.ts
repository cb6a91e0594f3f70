import { CobrowseError } from './cobrowse-error.js'
import { startTimeLimit } from './time-limit.js'
import type { EndCallOptions, RetCode } from '../../types/client.js'
import type { ClientSettings } from './settings.js'

const MAX_RETRY_AFTER_MS = 3_600_000

/** The place of the room. */
export interface Answer {
  /** At least one of the two addresses is given. */
  wssUrl: string | undefined
  wssUrlOut: string | undefined
  signature: string
}

export interface AskOptions {
  /** Whether the token of the previous request was rejected. */
  isRefused: boolean
  /** The signature of the previous answer, if no WebSocket could be opened to its node. */
  unopened: string | undefined
  signal: AbortSignal
}

/**
 * Asks the gateway where the room is.
 *
 * @throws CobrowseError
 */
export async function askForRoom (
  settings: ClientSettings, { unopened, ...options }: AskOptions
): Promise<Answer> {
  const { roomId, userId, userName, role } = settings
  const { data } = await post(settings, settings.url, { roomId, userId, userName, role, unopened }, options)
  const { wssUrl, wssUrlOut, signature } = Object(data)
  const areGood = [wssUrl, wssUrlOut].every((address) => ['string', 'undefined'].includes(typeof address))
  if (!areGood || (wssUrl ?? wssUrlOut) === undefined || typeof signature !== 'string') {
    throw new CobrowseError('bad-answer', 'the answer names no node')
  }
  return { wssUrl, wssUrlOut, signature }
}

/**
 * Ends the call.
 *
 * @throws CobrowseError
 */
export async function askForEnd (settings: ClientSettings, options: EndCallOptions): Promise<void> {
  await post(settings, settings.endUrl, { callId: settings.roomId }, options)
}

async function post (
  { token, timeout }: ClientSettings, url: string, body: object,
  { isRefused = false, signal: parent }: { isRefused?: boolean, signal?: AbortSignal | undefined }
): Promise<{ data?: unknown }> {
  const limit = startTimeLimit(timeout, parent)
  const { signal } = limit
  let status: number | undefined
  try {
    const held = typeof token === 'function' ? await unlessAborted(signal, token(isRefused)) : token
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8', ...(held !== undefined && { 'ccmessaging-token': held })
      },
      // The gateway rejects a cookie beside a token that differs as ambiguous.
      credentials: held === undefined ? 'include' : 'omit',
      body: JSON.stringify(body),
      signal
    })
    status = response.status
    return read(response, await response.text())
  } catch (cause) {
    if (cause instanceof CobrowseError) throw cause
    if (parent?.aborted) throw new CobrowseError('lost', 'closed by this side')
    const message = limit.isTimeOver ? `the gateway did not answer within ${timeout} ms` : 'the gateway cannot be reached'
    throw new CobrowseError('unreachable', message, { status }, { cause })
  } finally {
    limit.end()
  }
}

/** @throws CobrowseError unless the answer is a success */
function read ({ status, headers }: Response, text: string): { data?: unknown } {
  const answer = parse(text)
  if (status === 200 && answer.retCode === '0') return answer
  const isOurs = typeof answer.retCode === 'string' && answer.retCode.startsWith(String(status)) && status !== 200
  // The catalogue is the gateway's: its retCode is the status × 100 + n.
  const code = isOurs ? answer.retCode as RetCode : 'bad-answer'
  const message = typeof answer.retMsg === 'string' ? answer.retMsg : `the gateway answered ${status}`
  throw new CobrowseError(code, message, { status, retryAfter: readRetryAfter(headers.get('retry-after')) })
}

function parse (text: string): { retCode?: unknown, retMsg?: unknown, data?: unknown } {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

/** Seconds or a date (RFC 9110 section 10.2.3), converted to milliseconds from now. */
export function readRetryAfter (value: string | null): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms >= 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined
}

async function unlessAborted<T> (signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(new Error('the call was aborted'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    Promise.resolve(work).then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
