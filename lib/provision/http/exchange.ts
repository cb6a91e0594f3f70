import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'secure-json-parse'
import { systemClock } from '../../common/clock.js'
import { withDeadline } from '../../common/deadline.js'
import { ProvisionFault, toFault } from './fault.js'
import type { Question } from './kept-answers.js'
import type { Deadline } from '../../common/deadline.js'
import type { Client, Dispatcher, Pool } from 'undici'
import type { HttpProvisionOptions } from '../../../types/provision.js'

const MAX_BODY_BYTES = 64 * 1024
const MAX_HEADER_BYTES = 16 * 1024
const CONNECTIONS = 32
/** A second try needs enough time to succeed. */
const RETRY_NEEDS_SHARE = 0.4
const MAX_HOLD_MS = 2000
const UNKNOWN_TENANT_HOLD_MS = 5000

/** Loads the HTTP client, which gateways with a static address do without. */
export const loadClient = async () => await import('undici')

export interface ExchangeOptions {
  origin: string
  headers: NonNullable<HttpProvisionOptions['headers']>
  ca: Buffer[] | undefined
  timeoutMs: number
}

export interface Exchange {
  /**
   * Asks, and asks once more if that may help.
   *
   * @returns the parsed answer
   * @throws `ProvisionFault`
   */
  get (question: Question): Promise<unknown>
  /** Ends all exchanges under way. */
  close (): Promise<void>
}

interface Opened {
  pool: Pool
  /** A connection besides those of the pool. */
  createClient (): Client
}

export function createExchange ({ origin, headers, ca, timeoutMs }: ExchangeOptions): Exchange {
  const options: Client.Options = {
    // The signal bounds the whole exchange: undici's own timers are coarse, and a dripping body outlives them.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: timeoutMs, ...(ca !== undefined && { ca }) },
    maxHeaderSize: MAX_HEADER_BYTES,
    maxResponseSize: MAX_BODY_BYTES
  }
  let opened: Promise<Opened> | undefined
  const closing = new AbortController()

  function open (): Promise<Opened> {
    opened ??= loadClient().then(({ Client, Pool }) => ({
      pool: new Pool(origin, { ...options, connections: CONNECTIONS }),
      createClient: () => new Client(origin, options)
    }))
    return opened
  }

  async function get (question: Question): Promise<unknown> {
    const startedAt = performance.now()
    const work = async ({ signal }: Deadline) => {
      try {
        const { pool } = await open()
        return await ask(pool, question, signal)
      } catch (error) {
        const { retryMs } = toFault(error)
        const leftMs = timeoutMs - (performance.now() - startedAt)
        if (retryMs === undefined || leftMs - retryMs <= RETRY_NEEDS_SHARE * timeoutMs) throw error
        await sleep(retryMs, undefined, { signal })
        return await askAnew(question, signal)
      }
    }
    try {
      return await withDeadline({ clock: systemClock, ms: timeoutMs, within: closing.signal }, work)
    } catch (error) {
      throw toFault(error)
    }
  }

  // Other connections of the pool may be as dead as the one that failed.
  async function askAnew (question: Question, signal: AbortSignal): Promise<unknown> {
    const { createClient } = await open()
    const client = createClient()
    try {
      return await ask(client, question, signal)
    } finally {
      await client.destroy()
    }
  }

  async function ask (dispatcher: Dispatcher, question: Question, signal: AbortSignal): Promise<unknown> {
    const { path } = question
    const answer = await dispatcher.request({ origin, method: 'GET', path, headers: await makeHeaders(question), signal })
    const { statusCode, headers: head, body } = answer
    // Destroying a body that was not read to its end emits an error.
    body.on('error', () => {})
    try {
      checkHead(statusCode, head)
      return parseBody(await body.bytes())
    } finally {
      body.destroy()
    }
  }

  async function makeHeaders ({ session, request }: Question): Promise<Record<string, string>> {
    let given
    try {
      given = typeof headers === 'function' ? await headers(session, request) : headers
    } catch (cause) {
      throw new ProvisionFault('the "headers" function failed', { blame: 'access', cause })
    }
    const own = Object.entries(given).filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name.toLowerCase(), value])
    return { accept: 'application/json', ...Object.fromEntries(own), 'accept-encoding': 'identity' }
  }

  return {
    get,
    async close () {
      closing.abort(new ProvisionFault('closing', { blame: 'access' }))
      await (await opened)?.pool.destroy()
    }
  }
}

type Head = Dispatcher.ResponseData['headers']

function checkHead (status: number, head: Head): void {
  if (status !== 200) throw toStatusFault(status, readRetryAfter(head['retry-after']))
  const encoding = head['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ProvisionFault('answer is compressed', { blame: 'answer' })
  }
}

function toStatusFault (status: number, retryAfterMs: number | undefined): ProvisionFault {
  const holdMs = Math.min(MAX_HOLD_MS, Math.max(1000, retryAfterMs ?? 0))
  const again = { holdMs, retryMs: retryAfterMs ?? 10 + Math.random() * 40 }
  if ([500, 502, 503].includes(status)) return new ProvisionFault(`server error (${status})`, { blame: 'backend', ...again })
  if (status >= 500) return new ProvisionFault(`server error (${status})`, { blame: 'backend', holdMs })
  if (status === 429) return new ProvisionFault('asked too often (429)', { blame: 'access', ...again })
  if (status === 401 || status === 403) {
    return new ProvisionFault(`credentials refused (${status})`, { blame: 'access' })
  }
  if (status === 404) {
    return new ProvisionFault('unknown tenant (404)', { blame: 'answer', holdMs: UNKNOWN_TENANT_HOLD_MS })
  }
  return new ProvisionFault(status < 400 ? `redirect or no content (${status})` : `request refused (${status})`,
    { blame: 'answer' })
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function readRetryAfter (value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string') return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

// The parser's own message quotes the answer, so the message is left out.
function parseBody (body: Uint8Array): unknown {
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new ProvisionFault('answer is not JSON in UTF-8', { blame: 'answer' })
  }
}
