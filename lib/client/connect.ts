import { createAddresses } from './addresses.js'
import { askForEnd, askForRoom } from './ask.js'
import { CobrowseError } from './cobrowse-error.js'
import { createEmitter } from './emitter.js'
import { watchPage } from './page.js'
import { pause } from './pause.js'
import { createRetryRules } from './retry-rules.js'
import { createStats } from './stats.js'
import { readClientOptions } from './settings.js'
import { visitNode } from './socket.js'
import type {
  Connection, ConnectionEvents, ConnectionState, ConnectOptions, OutgoingMessage
} from '../../types/client.js'
import type { Visit } from './socket.js'

/**
 * Connects to the node that holds the room, and follows the room when it moves, until the connection is closed. A
 * signature works once, so every attempt asks the gateway again.
 *
 * @throws TypeError that names the option and the rule
 */
export function connect (options: ConnectOptions): Connection {
  const settings = readClientOptions(options)
  const { WebSocket, timeout, idleTimeout } = settings
  const events = createEmitter<ConnectionEvents>()
  const addresses = createAddresses(settings.address)
  const rules = createRetryRules({ ...settings, canRenew: typeof settings.token === 'function' })
  const stats = createStats()
  const stop = new AbortController()
  let waiting = new AbortController()
  let asking = new AbortController()
  let state: ConnectionState = 'asking'
  let visit: Visit | undefined
  let isRefused = false
  let signature: string | undefined
  /** The signature for a node that could not be reached at any of its addresses. */
  let unopened: string | undefined
  /** The node disconnects all clients at the end of the call, before the gateway's answer arrives. */
  let ending: Promise<void> | undefined
  /** Whether the next attempt begins at once: the browser put the page aside, or the page wants to reconnect. */
  let isSoon = false
  const page = watchPage(() => {
    isSoon = true
    leave()
  })

  function change (to: ConnectionState): void {
    state = to
    stats.changed(to)
    events.emit('state', to)
  }

  async function follow (): Promise<CobrowseError | undefined> {
    while (!stop.signal.aborted) {
      isSoon = false
      const { error, openFor } = await attempt()
      await ending?.catch(() => {})
      if (stop.signal.aborted) break
      stats.ended(error)
      isRefused = error.status === 401
      const hasOther = error.code === 'unopened' && addresses.fail()
      unopened = error.code === 'unopened' && !hasOther ? signature : undefined
      const wait = rules.next(error, openFor, hasOther)
      if (wait === undefined) return error
      change('waiting')
      waiting = new AbortController()
      events.emit('retry', { error, wait: isSoon ? 0 : wait })
      if (!isSoon) await pause(wait, waiting.signal)
      await page.shown()
    }
    return undefined
  }

  async function attempt (): Promise<{ error: CobrowseError, openFor: number }> {
    change('asking')
    try {
      asking = new AbortController()
      const { signal } = asking
      const answer = await askForRoom(settings, { isRefused, unopened, signal })
      signature = answer.signature
      if (signal.aborted) throw new CobrowseError('lost', 'closed by this side')
      return await open(addresses.choose(answer), answer.signature)
    } catch (error) {
      return { error: toCobrowseError(error), openFor: 0 }
    }
  }

  async function open (url: string, signature: string) {
    change('opening')
    visit = visitNode({
      url,
      signature,
      WebSocket,
      timeout,
      idleTimeout,
      onOpen () {
        addresses.succeed()
        stats.opened(url)
        change('open')
        events.emit('open', { url })
      },
      onMessage (message) {
        stats.received(message)
        events.emit('message', message)
      }
    })
    return await visit.ended
  }

  function leave (): void {
    asking.abort()
    visit?.close()
  }

  function reconnect (): void {
    waiting.abort()
    if (state !== 'opening' && state !== 'open') return
    isSoon = true
    visit?.close()
  }

  function send (data: OutgoingMessage): boolean {
    const isSent = visit?.send(data) ?? false
    if (isSent) stats.sent(data)
    return isSent
  }

  function close (): void {
    stop.abort()
    waiting.abort()
    page.end()
    leave()
  }

  async function run (): Promise<CobrowseError | undefined> {
    // Listeners added right after `connect` receive every event.
    await Promise.resolve()
    const error = await follow()
    settings.signal?.removeEventListener('abort', close)
    page.end()
    change('closed')
    events.emit('close', error)
    return error
  }

  if (settings.onMessage !== undefined) events.on('message', settings.onMessage)
  if (settings.signal?.aborted) close()
  settings.signal?.addEventListener('abort', close)
  return {
    get state () {
      return state
    },
    get bufferedAmount () {
      return visit?.bufferedAmount ?? 0
    },
    closed: run(),
    send,
    stats: stats.read,
    reconnect,
    close,
    async endCall (options = {}) {
      ending = askForEnd(settings, options).then(close)
      await ending
    },
    on: events.on
  }
}

function toCobrowseError (error: unknown): CobrowseError {
  return error instanceof CobrowseError ? error : new CobrowseError('unreachable', String(error), {}, { cause: error })
}
