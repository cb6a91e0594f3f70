import { withEnding } from '../common/adapter-call.js'
import type { Dependency } from './dependency.js'
import type { KnownRooms } from './known-rooms.js'
import type { RequestContext } from './request-context.js'
import type { Registry, ReleaseBody, Session } from '../../types/index.js'

export interface EndCallParts {
  registry: Registry
  dependencies: Record<'registry', Dependency>
  knownRooms: KnownRooms
}

/** The use case: ends the call, and its room with it. Independent of Fastify and HTTP. */
export function createEndCall ({ registry, dependencies, knownRooms }: EndCallParts) {
  return async function endCall (session: Session, { callId }: ReleaseBody, context: RequestContext): Promise<void> {
    if (!canEndCalls(registry)) throw new TypeError('the registry has no method "end"')
    const room = { tenant: session.tenantId, room: callId }
    await dependencies.registry.ask(context, (deadline) => registry.end(room, withEnding(registry.end, deadline, {})))
    knownRooms.forget(room)
  }
}

export function canEndCalls (registry: Registry): registry is Registry & Required<Pick<Registry, 'end'>> {
  return typeof registry.end === 'function'
}
