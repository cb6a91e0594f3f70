export interface SigningKey {
  /** Names the key in the signature's header (`kid`): 1–64 of `A-Z a-z 0-9 . _ : -`. */
  id: string
  /** At least 32 bytes; a string counts as its UTF-8 bytes. */
  secret: string | Uint8Array
}

export interface SigningOptions {
  /** The first key signs, all verify: put a new key first, and remove the old one once its signatures have expired. */
  keys: readonly SigningKey[]
  /**
   * Seconds a signature lives.
   * @default 15
   */
  ttl?: number | undefined
  /**
   * Seconds by which the clocks of store and node may differ.
   * @default 5
   */
  skew?: number | undefined
}

export type Role = 'recorder' | 'replayer'

/** Claims of a signature, named like the fields of the seat that it admits to. */
export interface SignatureClaims {
  tenant: string
  room: string
  user: string
  name: string
  role: Role
  node: string
  /** `null` if the signature is join-only: it is valid for every incarnation of the node. */
  incarnation: string | null
  /**
   * Incarnation that the gateway knew when it issued a join-only signature. The node may have another one by now; if
   * its process never had this one, the signature may have been used before that process started.
   */
  knownIncarnation?: string
  /** Whether the signature admits only to a room that is open on the node already. Never open a room for it. */
  joinOnly: boolean
  /** Seconds since the epoch, by the store's clock. */
  issuedAt: number
  /** Seconds since the epoch. */
  expiresAt: number
  /** Random, once per signature: accept it once. */
  id: string
}

export interface VerifyOptions extends SigningOptions {
  /** The node that the client connected to; a signature for another one is rejected. */
  node: { id: string, incarnation: string }
  /** Accepts join-only signatures too, for a node that checks `joinOnly` in the claims. Left out: rejected. */
  acceptJoinOnly?: boolean | undefined
  /** Milliseconds since the epoch. Left out: now. */
  now?: number | undefined
}
