import type { KeyObject } from 'node:crypto'
import type { Role } from './role.js'

interface KeyId {
  /** Names the key in the signature's header (`kid`): 1–64 of `A-Z a-z 0-9 . _ : -`. */
  id: string
}

/** Gateways and nodes share a secret: signatures with HS256 (RFC 7518, 3.2). */
export interface SecretKey extends KeyId {
  /** At least 32 bytes; a string counts as its UTF-8 bytes. */
  secret: string | Uint8Array
  privateKey?: undefined
  publicKey?: undefined
}

/** For gateways: signatures with EdDSA over Ed25519 (RFC 8037). */
export interface PrivateKey extends KeyId {
  /** An Ed25519 key, as a KeyObject or as text in PEM (PKCS #8). */
  privateKey: KeyObject | string
  secret?: undefined
  publicKey?: undefined
}

/** For nodes, which can check signatures but not make them. */
export interface PublicKey extends KeyId {
  /** An Ed25519 key, as a KeyObject or as text in PEM (SPKI). */
  publicKey: KeyObject | string
  secret?: undefined
  privateKey?: undefined
}

export type SigningKey = SecretKey | PrivateKey | PublicKey

/** Keys that may change while the process runs. */
export interface KeySource {
  /**
   * The keys as they are now. Called for each signature, so return a list that is at hand. If it throws, or returns
   * something else than usable keys, the last good ones stay in use.
   */
  current (): readonly SigningKey[]
  /**
   * Reads the keys again, since a signature names an unknown one. Anybody can send such a signature: bound how often
   * and how long it reads.
   */
  refresh? (): Promise<void>
}

export type SigningKeys = readonly SigningKey[] | (() => readonly SigningKey[]) | KeySource

export interface SigningOptions {
  /**
   * The first key signs, all verify. A list stays as it is; a function or an object with `current` may give other keys
   * later, for a rotation without a restart.
   */
  keys: SigningKeys
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
