import type { CheckNodeOptions, TestSocket } from '../../../types/testing.js'

const SUB_PROTOCOL = 'cobrowse.v1'
const MARK = /cobrowse-check-[\w-]{22}/g
const MAX_MARKS = 1000

/** End of a visit. */
export interface End {
  /** Close code of the WebSocket, if its handshake was answered. */
  code?: number
  /** Status of the HTTP answer that rejected the handshake. */
  status?: number
  /** Description. */
  text: string
}

/** A client of the node. The node admits a client without telling it. */
export interface Client {
  readonly signature: string
  /** Sub-protocol that the node answered; `undefined` before. */
  readonly protocol: string | undefined
  readonly end: End | undefined
  say (text: string): void
  /** Whether a text with this mark arrived. */
  hasHeard (mark: string): boolean
  /** Closes the connection, as a closed page does. */
  leave (): void
  terminate (): void
}

export type Connect = (signature: string | undefined) => Client

export function createConnect (WebSocket: CheckNodeOptions['WebSocket'], address: string): Connect {
  return (signature) => {
    const heard = new Set<string>()
    let socket: TestSocket | undefined
    let protocol: string | undefined
    let end: End | undefined
    let isLeaving = false

    function fail (message: string): void {
      const status = /response: (\d{3})\b/.exec(message)?.[1]
      end ??= status === undefined
        ? { text: `not connected (${message.slice(0, 200)})` }
        : { status: Number(status), text: `refused with HTTP ${status}` }
    }

    try {
      socket = new WebSocket(address, signature === undefined ? [SUB_PROTOCOL] : [SUB_PROTOCOL, signature])
      listen(socket)
    } catch (error) {
      fail(String(error))
    }

    function listen (opening: TestSocket): void {
      opening.addEventListener('open', () => {
        protocol = opening.protocol
        if (isLeaving) opening.close()
      })
      opening.addEventListener('message', ({ data }) => {
        for (const [mark] of toText(data).matchAll(MARK)) if (heard.size < MAX_MARKS) heard.add(mark)
      })
      opening.addEventListener('error', (event) => {
        if (protocol === undefined) fail(String(Reflect.get(event, 'message') ?? 'the handshake failed'))
      })
      opening.addEventListener('close', ({ code, reason }) => {
        end ??= { code, text: `closed with ${code} ${JSON.stringify(reason)}` }
      })
    }

    return {
      signature: signature ?? '',
      get protocol () {
        return protocol
      },
      get end () {
        return end
      },
      say (text) {
        if (protocol !== undefined && end === undefined) socket?.send(text)
      },
      hasHeard: (mark) => heard.has(mark),
      leave () {
        isLeaving = true
        if (protocol !== undefined) socket?.close()
      },
      terminate () {
        if (socket?.terminate === undefined) socket?.close()
        else socket.terminate()
      }
    }
  }
}

function toText (data: unknown): string {
  if (typeof data === 'string') return data
  if (data instanceof ArrayBuffer) return Buffer.from(data).toString()
  return data instanceof Uint8Array ? Buffer.from(data).toString() : ''
}

/** Whether the node rejected or disconnected the client with one of these close codes or an equivalent HTTP status. */
export function isRefused ({ code, status = 0 }: End, codes: readonly number[]): boolean {
  return codes.some((expected) => code === expected || status === expected - 4000) || (status >= 400 && status < 500)
}

/** Describes the state of a client, to follow its name. */
export function fateOf ({ end, protocol }: Client): string {
  if (end !== undefined) return `was ${end.text}`
  return protocol === undefined ? 'got no answer to the handshake' : 'stays connected'
}
