export interface SigningKey {
  /** Names the key in the signature's header (`kid`): 1–64 of `A-Z a-z 0-9 . _ : -`. */
  id: string
  /** At least 32 bytes; a string counts as its UTF-8 bytes. */
  secret: string | Uint8Array
}

export interface SigningOptions {
  /** The first signs, all verify: put a new key first, and take the old one out once its signatures have ended. */
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

/** What a signature says, in the words of the seat that it admits to. */
export interface SignatureClaims {
  tenant: string
  room: string
  user: string
  name: string
  role: Role
  node: string
  /** `null` where the signature is join-only: it holds for whatever incarnation the node has. */
  incarnation: string | null
  /**
   * Of a join-only signature: the incarnation that the gateway knew. The node may have another one by now; where its
   * process never had this one, the signature may have been used before that process started.
   */
  knownIncarnation?: string
  /** Admits only to a room that is open on the node already. Never open a room for it. */
  joinOnly: boolean
  /** Seconds since the epoch, by the store's clock. */
  issuedAt: number
  /** Seconds since the epoch. */
  expiresAt: number
  /** Random, once per signature: accept it once. */
  id: string
}

export interface VerifyOptions extends SigningOptions {
  /** The node that was connected to; a signature for another one is refused. */
  node: { id: string, incarnation: string }
  /** Accepts join-only signatures as well, for a node that looks at `joinOnly` in what it gets. Left out: refused. */
  acceptJoinOnly?: boolean | undefined
  /** Milliseconds since the epoch. Left out: now. */
  now?: number | undefined
}
