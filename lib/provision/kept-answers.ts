import { LRUCache } from 'lru-cache'
import { ProvisionFault } from './fault.js'

const MAX_KEYS = 10_000
const JITTER = 0.2
/** Of an answer's life, what is left when it is asked for again. */
const REFRESH_SHARE = 0.2
/** For so long after a failure nobody who can have an old answer waits for a new one. */
const OUTAGE_MS = 10_000

interface Answer {
  address: string
  refreshAt: number
  freshUntil: number
}

interface Failure {
  error: unknown
  heldUntil: number
}

export interface KeptAnswersOptions {
  ttlMs: number
  /** How old the last good answer may be that is given in an outage; 0 gives none. */
  staleMs: number
  ask (key: string): Promise<string>
}

export interface KeptAnswers {
  /**
   * The answer that can be given at once, asked for anew behind it when its end is near.
   *
   * @returns `undefined` when it has to be asked for
   * @throws the last failure, when that was a moment ago
   */
  recall (key: string): string | undefined
  /** Asks, once for all who want the same. */
  ask (key: string): Promise<string>
  /** The last good answer, `undefined` when it is too old or there was none. */
  lastGood (key: string): string | undefined
  clear (): void
}

export function keepAnswers ({ ttlMs, staleMs, ask }: KeptAnswersOptions): KeptAnswers {
  const answers = new LRUCache<string, Answer>({ max: MAX_KEYS })
  const failures = new LRUCache<string, Failure>({ max: MAX_KEYS, ttl: OUTAGE_MS })
  const asking = new Map<string, Promise<string>>()

  function recall (key: string): string | undefined {
    const now = performance.now()
    const answer = answers.get(key)
    const failure = failures.get(key)
    const isHeld = failure !== undefined && now < failure.heldUntil
    if (answer === undefined) {
      if (isHeld) throw failure.error
      return undefined
    }
    if (now < answer.refreshAt) return answer.address
    if (now >= answer.freshUntil && failure === undefined) return undefined
    if (!isHeld) askOnce(key).catch(() => {})
    return answer.address
  }

  function askOnce (key: string): Promise<string> {
    const underWay = asking.get(key)
    if (underWay !== undefined) return underWay
    const call = askAndKeep(key).finally(() => asking.delete(key))
    asking.set(key, call)
    return call
  }

  async function askAndKeep (key: string): Promise<string> {
    try {
      const address = await ask(key)
      keep(key, address)
      return address
    } catch (error) {
      const heldUntil = performance.now() + (error instanceof ProvisionFault ? error.holdMs : 0)
      failures.set(key, { error, heldUntil })
      throw error
    }
  }

  function keep (key: string, address: string): void {
    const now = performance.now()
    // Tenants that were asked for at once must not end at once.
    const life = ttlMs * (1 - JITTER + 2 * JITTER * Math.random())
    const answer = { address, refreshAt: now + life * (1 - REFRESH_SHARE), freshUntil: now + life }
    answers.set(key, answer, { ttl: Math.ceil(Math.max(life, staleMs)) })
    failures.delete(key)
  }

  return {
    recall,
    ask: askOnce,
    lastGood: (key) => answers.get(key)?.address,
    clear () {
      answers.clear()
      failures.clear()
    }
  }
}
