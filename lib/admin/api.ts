import { createDependency } from '../gateway/dependency.js'
import { canEndCalls } from '../gateway/end-call.js'
import { InvalidBodyError, RegistryUnavailableError } from '../errors.js'
import { checkOrder } from '../registry/nodes/node-order.js'
import { record } from './audit.js'
import { namingField } from './check-input.js'
import { createRoomRoutes } from './room-routes.js'
import { apiRoute } from './route.js'
import * as schemas from './schemas.js'
import type { Static } from '@sinclair/typebox'
import type { Dependency } from '../gateway/dependency.js'
import type { AdminSettings } from './options.js'
import type { AdminRoute, OperatorRequest } from './route.js'
import type { NewNodeOrder } from '../../types/operations.js'

/** The JSON routes. A further operation of the registry is a further route, and a word in `verbs`. */
export function createApi (settings: AdminSettings, roomHash: (room: string) => string): AdminRoute[] {
  const { registry, timeout } = settings
  const store = createDependency({
    name: 'registry', limitMs: timeout, breaks: true, Unavailable: RegistryUnavailableError, observe () {}
  })
  const verbs = ['order', 'explain', 'move', ...canEndCalls(registry) ? ['end'] : []]
  return [
    apiRoute('GET', '/api/operator', schemas.operatorSchema, ({ author }) => ({ author, verbs })),
    ...createNodeRoutes(settings, store),
    ...createRoomRoutes(settings, store, roomHash)
  ]
}

function createNodeRoutes ({ operations }: AdminSettings, store: Dependency): AdminRoute[] {
  /** `null` takes the order back. */
  async function setOrder (
    { request: { log }, context, author }: OperatorRequest, id: string, order: NewNodeOrder | null, reason?: string
  ) {
    const { kind: operation = 'take back', deadline, returnWithin } = order ?? {}
    await record(log, { operation, author, node: id, reason, deadline, returnWithin }, async () =>
      await store.ask(context, async () => await namingField(operations.setOrder(id, order))))
    return { id, order }
  }

  return [
    apiRoute('GET', '/api/nodes', schemas.nodesSchema, async ({ context }) =>
      ({ now: Date.now(), nodes: await store.ask(context, async () => await operations.nodes()) })),
    apiRoute('GET', '/api/orders', schemas.ordersSchema, async ({ context }) => {
      const orders = await store.ask(context, async () => await operations.orders())
      return { orders: [...orders].map(([id, order]) => ({ id, ...order })) }
    }),
    apiRoute('PUT', '/api/nodes/:id/order', schemas.giveOrderSchema, async (operator) => {
      const order = toOrder(operator)
      return await setOrder(operator, idOf(operator), order, order.reason)
    }),
    apiRoute('DELETE', '/api/nodes/:id/order', schemas.takeBackSchema, async (operator) => {
      // The validator has checked exactly this type.
      const { reason } = operator.request.query as Static<typeof schemas.TakeBackQuerySchema>
      return await setOrder(operator, idOf(operator), null, reason)
    })
  ]
}

function idOf ({ request }: OperatorRequest): string {
  // The validator has checked exactly this type.
  return (request.params as Static<typeof schemas.ParamsSchema>).id
}

function toOrder (operator: OperatorRequest): NewNodeOrder {
  const { request, author } = operator
  // The validator has checked exactly this type.
  const body = request.body as Static<typeof schemas.OrderBodySchema>
  const surplus = (['deadline', 'returnWithin'] as const).find((name) => body.kind === 'cordon' && name in body)
  if (surplus !== undefined) throw new InvalidBodyError(`${surplus} must be left out of a cordon, as part of a drain`)
  return checkOrder(idOf(operator), { ...body, author })
}
