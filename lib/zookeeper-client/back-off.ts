/** Limits of the longest wait, in milliseconds: each round through all servers doubles it. */
const LEAST_BACK_OFF_MS = 50
const MOST_BACK_OFF_MS = 2_000

/** Limits of the milliseconds that one server has to take up the session. */
const LEAST_CONNECT_MS = 250
const MOST_CONNECT_MS = 2_000

const PARTS_PER_SESSION = 3

/** Milliseconds between attempts after failed authentication, which only a change on the servers can fix. */
const AUTH_RETRY_MS = 4_000
const AUTH_RETRY_SPREAD_MS = 2_000

/**
 * Milliseconds to wait. The next server of a round is tried at once, and a new round waits a random part of the longest
 * wait, so that the clients of a failed server return at different times. No wait outlasts a session.
 *
 * @param tries connections begun since the latest healthy one
 * @param sessionTimeout timeout of the current session
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

/** Milliseconds for one server: all servers share the rest of a session after a stalled server was noticed. */
export function connectMs (sessionTimeout: number, servers: number): number {
  return Math.min(MOST_CONNECT_MS, Math.max(LEAST_CONNECT_MS, sessionTimeout / PARTS_PER_SESSION / servers))
}

export function shuffle<T> (list: readonly T[], random = Math.random): T[] {
  const left = [...list]
  return list.flatMap(() => left.splice(Math.floor(random() * left.length), 1))
}
