import { createTenantCache } from '../../common/tenant-cache.js'
import { ProvisionFault } from './fault.js'
import type { FastifyRequest } from 'fastify'
import type { Session } from '../../../types/sessions.js'

const MAX_KEYS = 10_000
const JITTER = 0.2
/** The remaining share of an answer's life at which the question is asked again. */
const REFRESH_SHARE = 0.2
/** For this long after a failure, a caller that can have an old answer does not wait for a new one. */
const OUTAGE_MS = 10_000

interface Answer {
  address: string
  refreshAt: number
  freshUntil: number
  keptUntil: number
}

interface Failure {
  error: unknown
  heldUntil: number
  keptUntil: number
}

/** Tenants whose questions have the same path share the answer. */
export interface Question {
  tenant: string
  path: string
  /** The tenant whose share of the memory the answer is part of, or `EVERYBODY`. */
  owner: string
  session: Session
  /** Absent for calls of `app.cobrowse`. */
  request?: FastifyRequest | undefined
}

/** Owner of an answer that is the same for all tenants. No tenant has an empty id. */
export const EVERYBODY = ''

export interface KeptAnswersOptions {
  ttlMs: number
  /** Age up to which the last good answer is given in an outage; 0 gives none. */
  staleMs: number
  ask (question: Question): Promise<string>
}

export interface KeptAnswers {
  /**
   * The answer that can be given at once; shortly before its end, the question is asked again in the background.
   *
   * @returns `undefined` if the question has to be asked
   * @throws the last failure, if recent
   */
  recall (question: Question): string | undefined
  /** Asks, once for all callers with the same question. */
  ask (question: Question): Promise<string>
  /** The last good answer; `undefined` if it is too old or there was none. */
  lastGood (question: Question): string | undefined
  clear (): void
}

export function keepAnswers ({ ttlMs, staleMs, ask }: KeptAnswersOptions): KeptAnswers {
  const answers = createTenantCache<Answer>(MAX_KEYS)
  const failures = createTenantCache<Failure>(MAX_KEYS)
  const asking = new Map<string, Promise<string>>()

  const answerFor = ({ owner, path }: Question) => kept(answers.get(owner, path))

  function recall (question: Question): string | undefined {
    const now = performance.now()
    const answer = answerFor(question)
    const failure = kept(failures.get(question.owner, question.path))
    const isHeld = failure !== undefined && now < failure.heldUntil
    if (answer === undefined) {
      if (isHeld) throw failure.error
      return undefined
    }
    if (now < answer.refreshAt) return answer.address
    if (now >= answer.freshUntil && failure === undefined) return undefined
    if (!isHeld) askOnce(question).catch(() => {})
    return answer.address
  }

  function askOnce (question: Question): Promise<string> {
    const { path } = question
    const underWay = asking.get(path)
    if (underWay !== undefined) return underWay
    const call = askAndKeep(question).finally(() => asking.delete(path))
    asking.set(path, call)
    return call
  }

  async function askAndKeep (question: Question): Promise<string> {
    try {
      const address = await ask(question)
      keep(question, address)
      return address
    } catch (error) {
      const now = performance.now()
      const heldUntil = now + (error instanceof ProvisionFault ? error.holdMs : 0)
      failures.set(question.owner, question.path, { error, heldUntil, keptUntil: now + OUTAGE_MS })
      throw error
    }
  }

  function keep ({ owner, path }: Question, address: string): void {
    const now = performance.now()
    // Answers that arrived at the same time must not expire at the same time.
    const life = ttlMs * (1 - JITTER + 2 * JITTER * Math.random())
    answers.set(owner, path, {
      address,
      refreshAt: now + life * (1 - REFRESH_SHARE),
      freshUntil: now + life,
      keptUntil: now + Math.max(life, staleMs)
    })
    failures.delete(owner, path)
  }

  return {
    recall,
    ask: askOnce,
    lastGood: (question) => answerFor(question)?.address,
    clear () {
      answers.clear()
      failures.clear()
    }
  }
}

function kept<Entry extends { keptUntil: number }> (entry: Entry | undefined): Entry | undefined {
  return entry !== undefined && performance.now() < entry.keptUntil ? entry : undefined
}
