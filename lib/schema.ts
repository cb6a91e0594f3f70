import { Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { InvalidBodyError } from './errors.js'
import type { FastifySchema } from 'fastify'
import type { ConnectionInfoBody } from '../types/options.js'

const ID_RULE = 'must be a string of 1 to 64 characters A-Z a-z 0-9 . _ : @ -'

const Identifier = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9._:@-]+$', description, examples: [example] })

export const BodySchema = Type.Object({
  roomId: Identifier('the multimedia call id', '1659938875-16806492'),
  userId: Identifier('the caller', 'user-4711'),
  userName: Type.String({
    minLength: 1,
    maxLength: 128,
    // Cc control, Cs lone surrogates, Zl and Zp line and paragraph separators, and what turns the writing direction.
    pattern: '^[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Bidi_Control}]+$',
    description: 'shown to the other side',
    examples: ['王芳']
  }),
  role: Type.Union([Type.Literal('recorder'), Type.Literal('replayer')], {
    description: 'recorder: the customer, whose page is captured; replayer: the agent, or an observer'
  })
}, { description: 'further fields are ignored' })

const AnswerSchema = Type.Object({
  retCode: Type.Literal('0'),
  data: Type.Object({
    roomId: Type.String(),
    wssUrl: Type.String({ examples: ['wss://10.1.2.3:8443/ws/cobrowse/1'] }),
    wssUrlOut: Type.Optional(Type.String({ examples: ['wss://relay.example/ws/cobrowse/1'] })),
    signature: Type.String({ description: 'handed to the node when connecting; works once' })
  })
}, { description: 'where to connect, and what to show there' })

const refusalSchema = (description: string) => Type.Object({
  retCode: Type.String({ pattern: '^\\d{5}$', description: 'HTTP status × 100 + n' }),
  retMsg: Type.String()
}, { description })

export const routeSchema: FastifySchema & { tags: string[], summary: string, operationId: string } = {
  tags: ['co-browsing'],
  summary: 'Which WebSocket node holds the room',
  operationId: 'getConnectionInfo',
  body: BodySchema,
  response: {
    200: AnswerSchema,
    400: refusalSchema('the body is not what it must be; retMsg names the field'),
    401: refusalSchema('no valid ccmessaging-token'),
    403: refusalSchema('not for this session, or not from this web page'),
    408: refusalSchema('the body did not arrive in time'),
    413: refusalSchema('the body is too large'),
    415: refusalSchema('the content type is not JSON in UTF-8'),
    429: refusalSchema('flow control'),
    500: refusalSchema('a defect'),
    503: refusalSchema('a dependency cannot be asked, or no node is live; ask again after Retry-After')
  }
}

const RULES: Record<keyof ConnectionInfoBody, string> = {
  roomId: ID_RULE,
  userId: ID_RULE,
  userName: 'must be a string of 1 to 128 characters without control characters',
  role: 'must be "recorder" or "replayer"'
}

// Coercing nothing: the host's own validator may turn 12345 into "12345".
const validate = new Ajv({ strict: false }).compile<ConnectionInfoBody>(BodySchema)

/**
 * Checks a parsed body.
 *
 * @returns its four fields alone
 * @throws InvalidBodyError that names the field
 */
export function checkBody (body: unknown): ConnectionInfoBody {
  if (!validate(body)) {
    const fault = validate.errors?.[0]
    const field = fault?.keyword === 'required' ? String(fault.params.missingProperty) : fault?.instancePath.slice(1)
    throw isField(field)
      ? new InvalidBodyError(`${field} ${RULES[field]}`)
      : new InvalidBodyError('the body must be a JSON object')
  }
  const { roomId, userId, userName, role } = body
  return { roomId, userId, userName, role }
}

function isField (name: string | undefined): name is keyof ConnectionInfoBody {
  return name !== undefined && Object.hasOwn(RULES, name)
}
