import { takesDeadline } from '../common/adapter-call.js'
import { addressFault, withNodePath } from '../common/address.js'
import { createAdapterState } from '../common/adapter-state.js'
import { keepsUrls } from '../common/kept-url.js'
import { throwIfOver, untilOver } from '../common/deadline.js'
import { ProvisionUnavailableError } from '../errors.js'
import { refusePromise } from '../common/refuse-promise.js'
import { ProvisionFault } from './http/fault.js'
import { createExchange, loadClient } from './http/exchange.js'
import { readHttpOptions } from './http/options.js'
import { EVERYBODY, keepAnswers } from './http/kept-answers.js'
import { pointTo } from './http/pick.js'
import { createRests } from './http/rests.js'
import { parseTarget } from './http/target.js'
import type { FastifyRequest } from 'fastify'
import type { Ending } from '../common/deadline.js'
import type { NodeRef } from '../../types/registry.js'
import type { Question } from './http/kept-answers.js'
import type { HttpProvisionOptions, Provision } from '../../types/provision.js'
import type { Session } from '../../types/sessions.js'

const STALE_MS = 600_000
/** One tenant's trouble outlives the success of others, so that the two do not alternate in the log. */
const TROUBLE_MS = 30_000
/** An address is valid or invalid with the path of any node alike. */
const SOME_NODE = 'wss://node.invalid/ws'

/**
 * Asks CC-Provision over HTTP, and keeps its answers.
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
  const rests = createRests()
  let exchange: ReturnType<typeof createExchange> | undefined
  let lastGoodAt = -Infinity
  let lastFault: { path: string, at: number } | undefined
  let trouble: { path: string, reason: string, at: number } | undefined

  const state = createAdapterState({
    open () {
      // The first request must not wait for the library to be loaded.
      loadClient().catch(() => {})
    },
    async end () {
      kept.clear()
      const ending = exchange
      exchange = undefined
      await ending?.close()
    }
  })

  async function ask (question: Question): Promise<string> {
    const { path } = question
    if (state.isClosed) throw new ProvisionFault('closed', { blame: 'access' })
    if (!rests.mayAsk(question)) throw new ProvisionFault('not asked after many failures', { blame: 'backend', holdMs: 0 })
    exchange ??= createExchange({ origin: target.origin, headers, ca, timeoutMs: timeout })
    try {
      const address = readAddress(await exchange.get(question))
      rests.succeeded(question)
      noteSuccess(path)
      const before = kept.lastGood(question)
      if (before !== undefined && before !== address) state.log?.info('the external address changed')
      return address
    } catch (error) {
      if (error instanceof ProvisionFault) noteFault(question, error)
      throw error
    }
  }

  // Runs before an answer is kept: a bad answer never replaces a good one.
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
    if (!state.acceptsAddress(withPath)) {
      throw new ProvisionFault('the address in the answer may not leave the gateway', { blame: 'answer' })
    }
    return address
  }

  function noteSuccess (path: string): void {
    lastGoodAt = performance.now()
    if (trouble?.path === path || lastGoodAt - (trouble?.at ?? -Infinity) > TROUBLE_MS) trouble = undefined
    if (trouble === undefined) state.set('up')
    else state.set('degraded', trouble.reason)
  }

  function noteFault (question: Question, { blame, message: reason }: ProvisionFault): void {
    const { path } = question
    const now = performance.now()
    if (blame === 'unreachable') rests.unreachable()
    else if (blame === 'backend') rests.failed(question)
    else rests.succeeded(question)
    // Others were answered between two failures of this one.
    const isItsOwn = blame === 'answer' || (lastFault?.path === path && lastGoodAt > lastFault.at)
    if (isItsOwn) trouble = { path, reason, at: now }
    lastFault = { path, at: now }
    const answersSome = blame === 'answer' || onOutage === 'omit' || now - lastGoodAt < Math.max(ttlMs, staleMs)
    state.set(answersSome ? 'degraded' : 'down', reason)
  }

  function questionOf (session: Session, request?: FastifyRequest): Question {
    const { tenantId: tenant } = session
    return { tenant, path: target.pathFor(session), owner: target.isConstant ? EVERYBODY : tenant, session, request }
  }

  async function addressFor (session: Session, request?: FastifyRequest, ending?: Ending): Promise<string> {
    const question = questionOf(session, request)
    const known = kept.recall(question)
    if (known !== undefined) return known
    try {
      // The exchange is shared: a caller that disconnects must not end it for the others.
      return await untilOver(kept.ask(question), ending)
    } catch (error) {
      const lastGood = kept.lastGood(question)
      if (lastGood === undefined) throw error
      return lastGood
    }
  }

  async function externalUrl (
    node: NodeRef, session: Session, ending: Ending, request?: FastifyRequest
  ): Promise<string | null> {
    throwIfOver(ending)
    try {
      return withNodePath(await addressFor(session, request, ending), node.wssUrl)
    } catch (cause) {
      throwIfOver(ending)
      if (onOutage === 'omit') return null
      throw new ProvisionUnavailableError({ cause })
    }
  }

  function keptUrl (node: NodeRef, session: Session): string | undefined {
    try {
      const address = kept.recall(questionOf(session))
      return address === undefined ? undefined : withNodePath(address, node.wssUrl)
    } catch {
      // A recent failure, which `externalUrl` reports.
      return undefined
    }
  }

  return {
    start: state.start,
    status: state.status,
    close: state.close,
    prefetch (session, request) {
      addressFor(session, request).catch(() => {})
    },
    externalUrl: keepsUrls(takesDeadline(externalUrl), keptUrl)
  }
}
