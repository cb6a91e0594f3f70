/** Milliseconds. The first wait is up to the least, and each round through all servers doubles what it is up to. */
const LEAST_BACK_OFF_MS = 50
const MOST_BACK_OFF_MS = 2_000

/** Milliseconds that one server has to take up the session, whatever part of it that is. */
const LEAST_CONNECT_MS = 250
const MOST_CONNECT_MS = 2_000

const PARTS_PER_SESSION = 3

/** Milliseconds, and as many more at most: nothing but a server that learns the credentials mends it. */
const AUTH_RETRY_MS = 4_000
const AUTH_RETRY_SPREAD_MS = 2_000

/**
 * Milliseconds to wait. The next server of a round is tried at once, and a round begins anywhere within its wait: all
 * the clients of a server that went away come back at different times. A session that lives is not slept away.
 *
 * @param tries connections that were begun since the last that was healthy
 * @param sessionTimeout of the session that there is
 */
export function backOffMs (
  tries: number, servers: number, sessionTimeout: number | undefined, random = Math.random
): number {
  if (tries % servers !== 0) return 0
  const most = Math.min(MOST_BACK_OFF_MS, (sessionTimeout ?? Infinity) / PARTS_PER_SESSION)
  return random() * Math.min(most, LEAST_BACK_OFF_MS * 2 ** (tries / servers))
}

export function authRetryMs (random = Math.random): number {
  return AUTH_RETRY_MS + AUTH_RETRY_SPREAD_MS * random()
}

/** What is left of a session when a stalled server was noticed is shared among all of them. */
export function connectMs (sessionTimeout: number, servers: number): number {
  return Math.min(MOST_CONNECT_MS, Math.max(LEAST_CONNECT_MS, sessionTimeout / PARTS_PER_SESSION / servers))
}

export function shuffle<T> (list: readonly T[], random = Math.random): T[] {
  const left = [...list]
  return list.flatMap(() => left.splice(Math.floor(random() * left.length), 1))
}
