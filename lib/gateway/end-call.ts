import type { Call, Dependency } from './dependency.js'
import type { KnownRooms } from './known-rooms.js'
import type { Registry, ReleaseBody, Session } from '../../types/index.js'

export interface ReleaseParts {
  registry: Registry
  registryCalls: Dependency
  knownRooms: KnownRooms
}

/** The use case: the call ended, and its room with it. Knows neither Fastify nor HTTP. */
export function createRelease ({ registry, registryCalls, knownRooms }: ReleaseParts) {
  return async function release (session: Session, { callId }: ReleaseBody, call: Call): Promise<void> {
    if (!canRelease(registry)) throw new TypeError('the registry has no method "release"')
    const room = { tenant: session.tenantId, room: callId }
    await registryCalls.ask(call, (signal) => registry.release(room, { signal }))
    knownRooms.forget(room)
  }
}

export function canRelease (registry: Registry): registry is Registry & Required<Pick<Registry, 'release'>> {
  return typeof registry.release === 'function'
}
