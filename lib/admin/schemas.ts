import { Type } from '@sinclair/typebox'
import {
  BodyTimeoutError, BodyTooLargeError, InternalError, InvalidBodyError, NotAuthorizedError, RegistryUnavailableError,
  UnsupportedContentTypeError
} from '../errors.js'
import { answer, ErrorAnswerSchema, errorAnswer, RETRY_AFTER } from '../http/openapi.js'
import { ID_RULE } from '../http/schema.js'
import { NODE_ID } from '../registry/nodes/node-record.js'
import { ORDER_FIELDS } from '../registry/nodes/node-order.js'
import { MOVE_FIELDS } from '../registry/nodes/room-move.js'
import type { TSchema } from '@sinclair/typebox'
import type { RouteSchema } from '../http/openapi.js'

const CLOSED = { additionalProperties: false }
const { kind, reason, author, deadline, returnWithin } = ORDER_FIELDS

export const ParamsSchema = Type.Object({
  id: Type.String({ pattern: NODE_ID.source, description: '1 to 64 of A-Z a-z 0-9 . _ : -' })
})

/** Has no author: that is the one whom the host's login knows. */
export const OrderBodySchema = Type.Object({ kind, reason, deadline, returnWithin }, {
  ...CLOSED, $id: 'CobrowseAdminOrderBody', description: 'deadline and returnWithin belong to a drain'
})

export const TakeBackQuerySchema = Type.Object({ reason: Type.Optional(reason) })

const Id = Type.String({
  pattern: '^[A-Za-z0-9._:@-]{1,64}$', description: ID_RULE.replace('must be ', ''), examples: ['1659938875-16806492']
})

export const ExplainBodySchema = Type.Object({
  tenant: Id,
  room: Id,
  history: Type.Optional(Type.Boolean({ description: 'false leaves the history empty' }))
}, { ...CLOSED, $id: 'CobrowseAdminExplainBody' })

/** Has no author, as an order. */
export const MoveBodySchema = Type.Object({ tenant: Id, room: Id, reason, to: MOVE_FIELDS.to }, {
  ...CLOSED, $id: 'CobrowseAdminMoveBody'
})

export const EndBodySchema = Type.Object({ tenant: Id, room: Id, reason: Type.Optional(reason) }, {
  ...CLOSED, $id: 'CobrowseAdminEndBody'
})

const given = { kind, reason, author, deadline, returnWithin }
const OrderSchema = Type.Object({ ...given, at: Type.Integer({ description: 'milliseconds since the epoch' }) })

const NodeSchema = Type.Object({
  id: Type.String(),
  state: Type.String({ enum: ['serving', 'cordoned', 'draining', 'lapsed', 'rejected', 'gone'] }),
  wssUrl: Type.Optional(Type.String()),
  wssUrlOut: Type.Optional(Type.String()),
  rooms: Type.Optional(Type.Integer()),
  capacity: Type.Optional(Type.Integer()),
  weight: Type.Optional(Type.Number()),
  zone: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  heardAgo: Type.Optional(Type.Number({ description: 'milliseconds since the latest heartbeat' })),
  fault: Type.Optional(Type.String({ description: 'why the record of the node cannot be read' })),
  order: Type.Optional(OrderSchema)
})

const OperatorAnswerSchema = Type.Object({
  author: Type.String({ description: 'the author of orders from this caller' }),
  verbs: Type.Array(Type.String({ enum: ['order', 'explain', 'move', 'end'] }), { description: 'operations that the registry has' })
}, { $id: 'CobrowseAdminOperator' })

const NodesAnswerSchema = Type.Object({
  now: Type.Integer({ description: 'milliseconds since the epoch, to compute ages' }),
  nodes: Type.Array(NodeSchema)
}, { $id: 'CobrowseAdminNodes' })

const OrdersAnswerSchema = Type.Object({
  orders: Type.Array(Type.Object({ id: Type.String(), ...OrderSchema.properties }))
}, { $id: 'CobrowseAdminOrders' })

const OrderedAnswerSchema = Type.Object({
  id: Type.String(), order: Type.Union([Type.Object(given), Type.Null()])
}, { $id: 'CobrowseAdminOrdered' })

const BindingSchema = Type.Object({
  key: Type.String(),
  node: Type.String(),
  incarnation: Type.String(),
  state: Type.String({ enum: ['assigned', 'claimed', 'released', 'moving', 'moved'] }),
  claims: Type.Integer({ description: 'number of the latest claim of the node' }),
  isAlive: Type.Boolean({ description: 'whether the node is alive' }),
  endsIn: Type.Optional(Type.Number({ description: 'milliseconds until the binding ends, unless it is prolonged' })),
  target: Type.Optional(Type.String({ description: 'the node that is to have a room that moves' }))
})

const EventSchema = Type.Object({
  at: Type.Number({ description: 'milliseconds since the epoch' }),
  event: Type.String({ enum: ['chosen', 'claimed', 'released', 'ended', 'moved', 'epoch'] }),
  node: Type.Optional(Type.String()),
  choice: Type.Optional(Type.Object({
    gateway: Type.String({ description: 'host name and process id' }),
    candidates: Type.Integer({ description: 'nodes that could take the room' }),
    proposed: Type.Array(Type.Object({ id: Type.String(), load: Type.Number() }), { description: 'up to eight, best first' }),
    leftOut: Type.Object({
      draining: Type.Integer(), full: Type.Integer(), refused: Type.Integer(), dead: Type.Integer()
    })
  })),
  instead: Type.Optional(Type.Object({ node: Type.String(), why: Type.String({ enum: ['died', 'moved'] }) })),
  why: Type.Optional(Type.Object({ to: Type.Optional(Type.String()), reason: Type.String(), author: Type.String() })),
  text: Type.String({ description: 'what happened, in one sentence' })
})

const ExplainedAnswerSchema = Type.Object({
  now: Type.Integer({ description: 'milliseconds since the epoch, to compute ages' }),
  explanation: Type.Object({
    key: Type.String({ description: 'hash of tenant and room, as in the keys of the store' }),
    binding: Type.Optional(BindingSchema),
    endedAt: Type.Optional(Type.Number({ description: 'latest end of the call' })),
    settlingMs: Type.Number({ description: 'milliseconds for which new rooms have to wait' }),
    candidates: Type.Array(Type.String(), { description: 'nodes that a new room may get' }),
    leftOut: Type.Array(Type.Object({ id: Type.String(), reason: Type.String() }), { description: 'the other nodes' }),
    next: Type.String({ description: 'what the next caller gets' }),
    history: Type.Array(EventSchema, { description: 'newest first' })
  })
}, { $id: 'CobrowseAdminExplained' })

const MovedAnswerSchema = Type.Object({
  tenant: Type.String(),
  room: Type.String(),
  outcome: Type.String({
    enum: ['moving', 'moved', 'unbound'],
    description: 'moving: the node has to give the room up first; moved: the next caller gets another node; unbound: ' +
      'the room is bound to no node'
  }),
  from: Type.Optional(Type.String({ description: 'the node that the room leaves' }))
}, { $id: 'CobrowseAdminMoved' })

const EndedAnswerSchema = Type.Object({
  tenant: Type.String(), room: Type.String(), ended: Type.Boolean()
}, { $id: 'CobrowseAdminEnded' })

export const ADMIN_SCHEMAS: readonly TSchema[] = [
  OperatorAnswerSchema, NodesAnswerSchema, OrdersAnswerSchema, OrderedAnswerSchema, ExplainedAnswerSchema,
  MovedAnswerSchema, EndedAnswerSchema, ErrorAnswerSchema
]

const READ_ERRORS = {
  403: errorAnswer('not for this operator, or not from this web page', new NotAuthorizedError()),
  500: errorAnswer('a defect', new InternalError()),
  503: errorAnswer('the registry cannot be asked', new RegistryUnavailableError(), RETRY_AFTER)
}
const WRITE_ERRORS = {
  400: errorAnswer('the request is not valid; retMsg names the field', new InvalidBodyError(`reason must be ${reason.description}`)),
  408: errorAnswer('the body did not arrive in time', new BodyTimeoutError()),
  413: errorAnswer('the body is too large', new BodyTooLargeError()),
  415: errorAnswer('the content type is not JSON in UTF-8', new UnsupportedContentTypeError()),
  ...READ_ERRORS
}
const TAGS = { tags: ['co-browsing admin'] }

const GIVEN = { kind: 'drain', reason: 'new kernel on Sunday', author: 'anna', deadline: 600_000, returnWithin: 30_000 }
const ORDER = { ...GIVEN, at: 1_796_000_000_000 }
const NODE = {
  id: 'node-2', state: 'draining', wssUrl: 'wss://10.1.2.2:8443/ws/cobrowse/2', rooms: 9, capacity: 500, heardAgo: 1400, order: ORDER
}
const ROOM = { tenant: 't1', room: '1659938875-16806492' }

export const operatorSchema: RouteSchema = {
  ...TAGS,
  summary: 'The operator as the host knows it',
  operationId: 'getCobrowseOperator',
  response: {
    200: answer(OperatorAnswerSchema, 'who asks, and what can be done', { author: 'anna', verbs: ['order', 'explain', 'move', 'end'] }),
    ...READ_ERRORS
  }
}

export const nodesSchema: RouteSchema = {
  ...TAGS,
  summary: 'All nodes, and the ids that are under an order',
  operationId: 'listCobrowseNodes',
  response: { 200: answer(NodesAnswerSchema, 'the nodes', { now: ORDER.at, nodes: [NODE] }), ...READ_ERRORS }
}

export const ordersSchema: RouteSchema = {
  ...TAGS,
  summary: 'All orders',
  operationId: 'listCobrowseOrders',
  response: { 200: answer(OrdersAnswerSchema, 'the orders', { orders: [{ id: 'node-2', ...ORDER }] }), ...READ_ERRORS }
}

export const giveOrderSchema: RouteSchema = {
  ...TAGS,
  summary: 'Cordons or drains a node, in place of an earlier order',
  operationId: 'giveCobrowseOrder',
  params: ParamsSchema,
  body: OrderBodySchema,
  response: { 200: answer(OrderedAnswerSchema, 'the order', { id: 'node-2', order: GIVEN }), ...WRITE_ERRORS }
}

export const takeBackSchema: RouteSchema = {
  ...TAGS,
  summary: 'Takes the order for a node back, if there is one',
  operationId: 'takeBackCobrowseOrder',
  params: ParamsSchema,
  querystring: TakeBackQuerySchema,
  response: { 200: answer(OrderedAnswerSchema, 'no order', { id: 'node-2', order: null }), ...WRITE_ERRORS }
}

const EXPLANATION = {
  key: 'khrNBqIQZD-z-GSAAM8fHOnnlZCVmndBFuMwfRqYW3M',
  binding: {
    key: 'khrNBqIQZD-z-GSAAM8fHOnnlZCVmndBFuMwfRqYW3M',
    node: 'node-2',
    incarnation: 'lkNf2W0rTqYy7wSgnkQ1vA',
    state: 'moving',
    claims: 0,
    isAlive: true,
    endsIn: 24_000,
    target: 'node-3'
  },
  settlingMs: 0,
  candidates: ['node-1', 'node-3'],
  leftOut: [{ id: 'node-2', reason: 'cordon by anna: new kernel on Sunday' }],
  history: [{
    at: ORDER.at,
    event: 'moved',
    node: 'node-2',
    why: { to: 'node-3', reason: 'the picture freezes', author: 'anna' },
    text: 'anna moved the room away from node-2 to node-3: the picture freezes'
  }],
  next: 'the error 50303: the room leaves node-2, which has not given it up yet'
}

export const explainSchema: RouteSchema = {
  ...TAGS,
  summary: 'Tells where a room is, and what the next caller gets; changes nothing',
  operationId: 'explainCobrowseRoom',
  body: ExplainBodySchema,
  response: {
    200: answer(ExplainedAnswerSchema, 'the room', { now: ORDER.at, explanation: EXPLANATION }), ...WRITE_ERRORS
  }
}

export const moveSchema: RouteSchema = {
  ...TAGS,
  summary: 'Moves a room away from its node, to a given node or to any other',
  operationId: 'moveCobrowseRoom',
  body: MoveBodySchema,
  response: {
    200: answer(MovedAnswerSchema, 'the move', { ...ROOM, outcome: 'moving', from: 'node-2' }), ...WRITE_ERRORS
  }
}

export const endSchema: RouteSchema = {
  ...TAGS,
  summary: 'Ends the call of a room, whether or not it is open',
  operationId: 'endCobrowseCall',
  body: EndBodySchema,
  response: { 200: answer(EndedAnswerSchema, 'the call ended', { ...ROOM, ended: true }), ...WRITE_ERRORS }
}
