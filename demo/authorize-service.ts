import { Pool } from 'undici'
import { systemClock } from '../lib/common/clock.js'
import { withDeadline } from '../lib/common/deadline.js'

const TIMEOUT_MS = 500
const CONNECTIONS = 32
const MAX_ANSWER_BYTES = 4096

/** Body of the request to the service, as JSON. */
export interface Question {
  action: 'connect' | 'end'
  tenantId: string
  channelId: string
  userId: string
  roomId: string
  /** Missing if the call is to be ended. */
  role?: 'recorder' | 'replayer'
}

export interface AuthorizeService {
  /** @throws Error with statusCode 503 unless the service says yes or no in time */
  ask (question: Question): Promise<boolean>
  close (): Promise<void>
}

/** The service of the operator that knows the participants of each call. */
export function createAuthorizeService (url: string): AuthorizeService {
  const { origin, pathname, search } = new URL(url)
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    // One deadline for the whole exchange: a body that drips outlives the timers of the client.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: TIMEOUT_MS },
    maxResponseSize: MAX_ANSWER_BYTES
  })

  async function exchange (question: Question, signal: AbortSignal): Promise<boolean> {
    const { statusCode, body } = await pool.request({
      path: pathname + search,
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', accept: 'application/json' },
      body: JSON.stringify(question),
      signal
    })
    // A body that is abandoned emits an error.
    body.on('error', () => {})
    try {
      if (statusCode === 403) return false
      if (statusCode !== 200) throw new Error(`the answer has the status ${statusCode}`)
      return readAnswer(await body.json())
    } finally {
      body.destroy()
    }
  }

  return {
    async ask (question) {
      try {
        return await withDeadline({ clock: systemClock, ms: TIMEOUT_MS }, async ({ signal }) =>
          await exchange(question, signal))
      } catch (cause) {
        throw Object.assign(new Error('AUTHORIZE_URL gave no usable answer', { cause }), { statusCode: 503 })
      }
    },
    close: async () => await pool.destroy()
  }
}

function readAnswer (answer: unknown): boolean {
  const allowed = typeof answer === 'object' && answer !== null && 'allowed' in answer ? answer.allowed : undefined
  if (typeof allowed !== 'boolean') throw new Error('the answer must be {"allowed": true} or {"allowed": false}')
  return allowed
}
