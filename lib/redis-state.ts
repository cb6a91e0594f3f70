import { ReasonError } from './reason.js'

/** In one of these an ioredis client queues a command until its server comes, for nobody knows how long. */
const AWAY = new Set(['reconnecting', 'close', 'end', 'disconnecting'])

/** @throws Error when a command that is given to the client now would wait in its queue */
export function assertReachable ({ status }: { readonly status: string }): void {
  if (AWAY.has(status)) throw new ReasonError(`the Redis client is in state ${status}`)
}
