import { addressFault, withNodePath } from '../address.js'
import { createBackend } from '../backend-status.js'
import { createBreaker } from '../breaker.js'
import { untilAborted } from '../deadline.js'
import { ProvisionUnavailableError } from '../errors.js'
import { refusePromise } from '../refuse-promise.js'
import { ProvisionFault } from './fault.js'
import { createExchange } from './http-exchange.js'
import { readHttpOptions } from './http-options.js'
import { keepAnswers } from './kept-answers.js'
import { pointTo } from './pick.js'
import { parseTarget } from './target.js'
import type { AdapterContext } from '../../types/adapter.js'
import type { HttpProvisionOptions, Provision } from '../../types/provision.js'
import type { Session } from '../../types/sessions.js'

const STALE_MS = 600_000
/** One tenant's trouble outlives the success of others, so that the two do not take turns in the log. */
const TROUBLE_MS = 30_000
/** Any address is good or bad with the path of any node. */
const SOME_NODE = 'wss://node.invalid/ws'

/** What one tenant is answered says nothing about the others. */
const isHealthy = (error: unknown) => error instanceof ProvisionFault && error.blame !== 'backend'

/**
 * Asks CC-Provision over HTTP, and keeps what it answers.
 *
 * @throws TypeError that names the option and the rule
 */
export function httpProvision (options: HttpProvisionOptions): Provision {
  const { url, pick, headers, ca, timeout, ttl, onOutage } = readHttpOptions(options)
  const target = parseTarget(url)
  const pickAddress = typeof pick === 'string' ? pointTo(pick) : pick
  const ttlMs = ttl * 1000
  const staleMs = onOutage === 'fail' ? 0 : STALE_MS
  const kept = keepAnswers({ ttlMs, staleMs, ask })
  let line: ReturnType<typeof openLine> | undefined
  let users: AdapterContext[] = []
  let lastGoodAt = -Infinity
  let trouble: { path: string, reason: string, at: number } | undefined

  const backend = createBackend({
    async end () {
      users = []
      kept.clear()
      const ending = line
      line = undefined
      await ending?.close()
    }
  })

  function openLine () {
    const exchange = createExchange({ origin: target.origin, headers, ca, timeoutMs: timeout })
    const breaker = createBreaker(exchange.get, { isHealthy })
    return {
      get: (path: string) => breaker.fire(path),
      async close () {
        breaker.shutdown()
        await exchange.close()
      }
    }
  }

  async function ask (path: string): Promise<string> {
    if (backend.status().state === 'closed') throw new ProvisionFault('closed', { blame: 'access' })
    line ??= openLine()
    try {
      const address = readAddress(await line.get(path))
      noteSuccess(path)
      const before = kept.lastGood(path)
      if (before !== undefined && before !== address) backend.log?.info('the external address changed')
      return address
    } catch (error) {
      // The open breaker knows nothing new.
      if (error instanceof ProvisionFault) noteFault(path, error)
      throw error
    }
  }

  // Before it is kept: a bad answer never takes the place of a good one.
  function readAddress (answer: unknown): string {
    let address
    try {
      address = pickAddress(answer)
      refusePromise(address, '"pick"')
    } catch (cause) {
      throw new ProvisionFault('the "pick" function failed', { blame: 'answer', cause })
    }
    if (typeof address !== 'string') throw new ProvisionFault('answer has no address', { blame: 'answer' })
    const withPath = withNodePath(address, SOME_NODE)
    const fault = addressFault(withPath)
    if (fault !== undefined) throw new ProvisionFault(`the address in the answer ${fault}`, { blame: 'answer' })
    if (users.length > 0 && !users.some(({ acceptsAddress }) => acceptsAddress?.(withPath) ?? true)) {
      throw new ProvisionFault('the address in the answer may not leave the gateway', { blame: 'answer' })
    }
    return address
  }

  function noteSuccess (path: string): void {
    lastGoodAt = performance.now()
    if (trouble?.path === path || lastGoodAt - (trouble?.at ?? -Infinity) > TROUBLE_MS) trouble = undefined
    if (trouble === undefined) backend.set('up')
    else backend.set('degraded', trouble.reason)
  }

  function noteFault (path: string, { blame, message: reason }: ProvisionFault): void {
    const now = performance.now()
    if (blame === 'answer') trouble = { path, reason, at: now }
    const answersSome = blame === 'answer' || onOutage === 'omit' || now - lastGoodAt < Math.max(ttlMs, staleMs)
    backend.set(answersSome ? 'degraded' : 'down', reason)
  }

  async function addressFor (session: Session, signal?: AbortSignal): Promise<string> {
    const path = target.pathFor(session)
    const known = kept.recall(path)
    if (known !== undefined) return known
    try {
      // What is asked for is shared: a caller that goes away must not end it for the others.
      return await untilAborted(kept.ask(path), signal)
    } catch (error) {
      const lastGood = kept.lastGood(path)
      if (lastGood === undefined) throw error
      return lastGood
    }
  }

  return {
    status: backend.status,
    close: backend.close,
    start (context) {
      users.push(context)
      backend.start(context)
    },
    prefetch (session) {
      addressFor(session).catch(() => {})
    },
    async externalUrl (node, session, signal) {
      signal.throwIfAborted()
      try {
        return withNodePath(await addressFor(session, signal), node.wssUrl)
      } catch (cause) {
        signal.throwIfAborted()
        if (onOutage === 'omit') return null
        throw new ProvisionUnavailableError({ cause })
      }
    }
  }
}
