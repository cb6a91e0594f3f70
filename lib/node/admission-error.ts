import type { CloseCode } from '../../types/node.js'

const REASONS: Record<CloseCode, string> = {
  4401: 'bad or expired signature',
  4403: 'not from this web page',
  4408: 'used already',
  4410: 'ask again',
  4429: 'no seat is free',
  4503: 'cannot reach the registry'
}

/** A client was rejected. The message may be shown to the client; `cause` is for the log. */
export class AdmissionError extends Error {
  override name = 'AdmissionError'
  readonly code = 'FST_COBROWSE_ADMISSION'
  /** Close code for the client's WebSocket. */
  readonly closeCode: CloseCode

  constructor (closeCode: CloseCode, cause?: unknown) {
    super(REASONS[closeCode], { cause })
    this.closeCode = closeCode
  }

  /** The equivalent HTTP status, for a server that checks the signature before it answers the handshake. */
  get statusCode (): number {
    return this.closeCode - 4000
  }
}
