export interface JwksOptions {
  /** Address of a JWK Set (RFC 7517), https: or on this machine. */
  url?: string | undefined
  /** Path of a file with a JWK Set. */
  file?: string | undefined
  /**
   * Seconds after which the set is read again.
   * @default 300
   */
  maxAge?: number | undefined
  /**
   * Seconds between two readings because of signatures with an unknown key, or after a reading that failed.
   * @default 10
   */
  cooldown?: number | undefined
  /**
   * Milliseconds that a reading may take.
   * @default 3000
   */
  timeout?: number | undefined
  /** Called with the error of each later reading that fails. The last keys stay. */
  onError?: ((error: Error) => void) | undefined
}

/** A JWK Set (RFC 7517) of Ed25519 keys (RFC 8037). */
export interface PublicJwks {
  keys: Array<{ kty: 'OKP', crv: 'Ed25519', x: string, kid: string, alg: 'EdDSA', use: 'sig' }>
}
