import { canEndCalls } from '../gateway/end-call.js'
import { withEnding } from '../common/adapter-call.js'
import { record } from './audit.js'
import { namingField } from './check-input.js'
import { apiRoute } from './route.js'
import * as schemas from './schemas.js'
import type { Static } from '@sinclair/typebox'
import type { Dependency } from '../gateway/dependency.js'
import type { AdminSettings } from './options.js'
import type { AdminRoute, OperatorRequest } from './route.js'

/** The routes of one room. Its id is in bodies alone: hosts and proxies log URLs. */
export function createRoomRoutes (
  { registry, operations }: AdminSettings, store: Dependency, roomHash: (room: string) => string
): AdminRoute[] {
  async function explain ({ request, context }: OperatorRequest) {
    // The validator has checked exactly this type.
    const { tenant, room, history } = request.body as Static<typeof schemas.ExplainBodySchema>
    const explanation = await store.ask(context, async () => await operations.explain({ tenant, room }, { history }))
    return { now: Date.now(), explanation }
  }

  async function move ({ request: { log, body }, context, author }: OperatorRequest) {
    // The validator has checked exactly this type.
    const { tenant, room, reason, to } = body as Static<typeof schemas.MoveBodySchema>
    const details = { operation: 'move', author, tenant, room: roomHash(room), reason, to }
    const moved = await record(log, details, async () => await store.ask(context, async () =>
      await namingField(operations.move({ tenant, room }, { reason, author, to }))))
    return { tenant, room, ...moved }
  }

  const routes = [
    apiRoute('POST', '/api/rooms/explain', schemas.explainSchema, explain),
    apiRoute('POST', '/api/rooms/move', schemas.moveSchema, move)
  ]
  if (!canEndCalls(registry)) return routes
  const end: AdminRoute['answer'] = async ({ request, context, author }) => {
    // The validator has checked exactly this type.
    const { tenant, room, reason } = request.body as Static<typeof schemas.EndBodySchema>
    await record(request.log, { operation: 'end', author, tenant, room: roomHash(room), reason }, async () =>
      await store.ask(context, (deadline) => registry.end({ tenant, room }, withEnding(registry.end, deadline, {}))))
    return { tenant, room, ended: true }
  }
  return [...routes, apiRoute('POST', '/api/rooms/end', schemas.endSchema, end)]
}
