const SUB_PROTOCOL = 'cobrowse.v1'

/** A signature is about 500 characters long; much longer text is not a signature. */
export const MAX_SIGNATURE_LENGTH = 4096

/** The sub-protocols that a client offers in the handshake of its WebSocket. */
export interface Offer {
  /** Empty if there is no signature, or more than one. */
  signature: string
  origin: string | undefined
}

/**
 * Reads the offer of a client, which names the sub-protocols `cobrowse.v1` and the signature, in this order. Answer
 * with the first.
 *
 * @param headers with names in lower case, as in Node.js
 */
export function readOffer (headers: Readonly<Record<string, string | string[] | undefined>>): Offer {
  const origin = String(headers.origin ?? '')
  return { signature: readSignature(String(headers['sec-websocket-protocol'] ?? '')), origin: origin || undefined }
}

function readSignature (protocols: string): string {
  if (protocols.length > MAX_SIGNATURE_LENGTH) return ''
  const offered = new Set(protocols.split(',').map((name) => name.trim()))
  if (!offered.delete(SUB_PROTOCOL)) return ''
  const [signature = '', ...others] = offered
  return others.length === 0 ? signature : ''
}
