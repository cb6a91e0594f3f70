import { CobrowseError } from './cobrowse-error.js'
import type { ClientSocket, CobrowseErrorCode, Message, OutgoingMessage } from '../../types/client.js'

const SUB_PROTOCOL = 'cobrowse.v1'
const OPEN = 1
const NORMAL = 1000
const OWN_CODES: readonly number[] = [4401, 4403, 4408, 4410, 4429, 4503]

export interface VisitOptions {
  url: string
  signature: string
  WebSocket: new (url: string, protocols: string[]) => ClientSocket
  /** Milliseconds that opening may take. */
  timeout: number
  /** Milliseconds that may pass without a message; 0 means no limit. */
  idleTimeout: number
  onOpen (): void
  onMessage (message: Message): void
}

/** One WebSocket, from the attempt to open it to its end. */
export interface Visit {
  /** The reason, and the milliseconds for which the WebSocket was open. */
  readonly ended: Promise<{ error: CobrowseError, openFor: number }>
  readonly bufferedAmount: number
  /** @returns whether the WebSocket is open */
  send (data: OutgoingMessage): boolean
  close (): void
}

export function visitNode (options: VisitOptions): Visit {
  const { url, signature, WebSocket, timeout, idleTimeout, onOpen, onMessage } = options
  let openedAt: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  let settle: (end: { error: CobrowseError, openFor: number }) => void = () => {}
  const ended = new Promise<{ error: CobrowseError, openFor: number }>((resolve) => { settle = resolve })

  function end (error: CobrowseError): void {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    settle({ error, openFor: openedAt === undefined ? 0 : performance.now() - openedAt })
    // A dead connection answers no closing handshake, and no caller waits for it.
    socket?.close()
  }

  function endIn (ms: number, error: () => CobrowseError): void {
    clearTimeout(timer)
    if (ms > 0) timer = setTimeout(() => end(error()), ms)
  }

  function listen (opening: ClientSocket): void {
    opening.binaryType = 'arraybuffer'
    opening.addEventListener('open', () => {
      if (isOver) return
      openedAt = performance.now()
      listenForSilence()
      onOpen()
    })
    opening.addEventListener('message', ({ data }) => {
      if (isOver) return
      listenForSilence()
      if (typeof data === 'string' || data instanceof ArrayBuffer) onMessage(data)
    })
    opening.addEventListener('close', ({ code, reason }) => {
      if (openedAt === undefined) end(unopened(code))
      else end(toError(code, reason))
    })
    opening.addEventListener('error', () => {
      // A `close` event may follow, with no further detail. None follows if the policy of the page forbids the address.
      if (openedAt === undefined) end(unopened())
    })
  }

  function listenForSilence (): void {
    endIn(idleTimeout, () => new CobrowseError('lost', `no message for ${idleTimeout} ms`))
  }

  let socket: ClientSocket | undefined
  endIn(timeout, () => new CobrowseError('unopened', `the node did not answer within ${timeout} ms`))
  try {
    socket = new WebSocket(url, [SUB_PROTOCOL, signature])
    listen(socket)
  } catch (cause) {
    // A page served by TLS may not open ws:, for example.
    end(new CobrowseError('unopened', 'the address of the node cannot be used here', {}, { cause }))
  }
  const isOpen = () => !isOver && socket?.readyState === OPEN
  return {
    ended,
    get bufferedAmount () {
      return isOpen() ? socket?.bufferedAmount ?? 0 : 0
    },
    send (data) {
      if (isOpen()) socket?.send(data)
      return isOpen()
    },
    close: () => end(new CobrowseError('lost', 'closed by this side', { closeCode: NORMAL }))
  }
}

function unopened (closeCode?: number): CobrowseError {
  return new CobrowseError('unopened', 'the node cannot be reached, or not from this page', { closeCode })
}

function toError (closeCode: number, reason: string): CobrowseError {
  const isOwn = OWN_CODES.includes(closeCode)
  const code = isOwn ? closeCode as CobrowseErrorCode : 'lost'
  return new CobrowseError(code, reason || `the connection ended (${closeCode})`, {
    closeCode, returnWithin: isOwn ? readWindow(reason) : undefined
  })
}

/** A node that drains many clients tells them how long to spread their return: "… within 2000 ms". */
function readWindow (reason: string): number | undefined {
  const ms = / within (\d{1,6}) ms$/.exec(reason)?.[1]
  return ms === undefined ? undefined : Number(ms)
}
