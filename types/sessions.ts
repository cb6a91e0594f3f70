import type { Adapter } from './adapter.js'

/** The holder of a valid `ccmessaging-token`. */
export interface Session {
  tenantId: string
  channelId: string
  userId: string
}

/** The token store. */
export interface Sessions extends Adapter {
  /**
   * Finds the session of a token.
   *
   * @param token as received: still percent-encoded, not trimmed, not unquoted
   * @param signal aborts when the answer is no longer of use
   * @returns the session, or `null` if the token is not the live one of its user
   * @throws an error of the catalogue, which is answered as it is; any other error if the store cannot be asked:
   *   "cannot know" must never look like "not valid"
   */
  find (token: string, signal: AbortSignal): Promise<Session | null>
}

/** The part of an ioredis client (5 or 6, Cluster included) that `redisSessions` uses. */
export interface RedisReader {
  readonly status: string
  get (key: string): Promise<string | null>
  /** Reads the tokens of one turn of the event loop at once. Not used on a Cluster, nor if Redis refuses it. */
  mget? (...keys: string[]): Promise<Array<string | null>>
}

export interface RedisSessionsOptions {
  /** A connected client, for example `app.redis`. It stays yours: the adapter never closes it. */
  redis: RedisReader
  /**
   * Prefix of the users' keys in this deployment.
   * @default ''
   */
  prefix?: string | undefined
  /**
   * Unwraps the stored text, if the deployment wraps it.
   * An exception, or a result that is no text, means "cannot know" (50305), not "not valid", for this token alone.
   */
  decode?: ((stored: string) => string | Promise<string>) | undefined
}

/** A token store in the memory of one process: for tests and the demo. */
export interface MemorySessions extends Sessions {
  /** Makes the one live token of this user, valid for an hour, and returns it in the form of a cookie value. */
  issue (session: Session): string
  /** Ends the token of this user. */
  revoke (session: Session): void
}
