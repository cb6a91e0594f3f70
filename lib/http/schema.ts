import { Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { InvalidBodyError } from '../errors.js'
import type { TObject } from '@sinclair/typebox'
import type { FastifySchema } from 'fastify'
import type { ConnectionInfoBody, ReleaseBody } from '../../types/options.js'

const ID_RULE = 'must be a string of 1 to 64 characters A-Z a-z 0-9 . _ : @ -'

const Identifier = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9._:@-]+$', description, examples: [example] })

const callId = () => Identifier('the multimedia call id', '1659938875-16806492')
const FURTHER_FIELDS = 'further fields are ignored'

const ConnectionInfoSchema = Type.Object({
  roomId: callId(),
  userId: Identifier('the caller', 'user-4711'),
  userName: Type.String({
    minLength: 1,
    maxLength: 128,
    // Cc control, Cs lone surrogates, Zl and Zp line and paragraph separators, and characters that turn the writing
    // direction.
    pattern: '^[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Bidi_Control}]+$',
    description: 'shown to the other side',
    examples: ['王芳']
  }),
  role: Type.Union([Type.Literal('recorder'), Type.Literal('replayer')], {
    description: 'recorder: the customer, whose page is captured; replayer: the agent, or an observer'
  })
}, { description: FURTHER_FIELDS })

const ReleaseSchema = Type.Object({ callId: callId() }, { description: FURTHER_FIELDS })

const ConnectionInfoAnswer = Type.Object({
  retCode: Type.Literal('0'),
  data: Type.Object({
    roomId: Type.String(),
    wssUrl: Type.String({ examples: ['wss://10.1.2.3:8443/ws/cobrowse/1'] }),
    wssUrlOut: Type.Optional(Type.String({ examples: ['wss://relay.example/ws/cobrowse/1'] })),
    signature: Type.String({ description: 'handed to the node when connecting; works once' })
  })
}, { description: 'where to connect, and what to show there' })

const ReleaseAnswer = Type.Object({ retCode: Type.Literal('0', { examples: ['0'] }) }, {
  description: 'the call has no room any more, whether or not it had one'
})

const errorAnswerSchema = (description: string) => Type.Object({
  retCode: Type.String({ pattern: '^\\d{5}$', description: 'HTTP status × 100 + n' }),
  retMsg: Type.String()
}, { description })

const ERROR_ANSWERS = {
  400: errorAnswerSchema('the body is not what it must be; retMsg names the field'),
  401: errorAnswerSchema('no valid ccmessaging-token'),
  403: errorAnswerSchema('not for this session, or not from this web page'),
  408: errorAnswerSchema('the body did not arrive in time'),
  413: errorAnswerSchema('the body is too large'),
  415: errorAnswerSchema('the content type is not JSON in UTF-8'),
  429: errorAnswerSchema('flow control'),
  500: errorAnswerSchema('a defect'),
  503: errorAnswerSchema('a dependency cannot be asked, or no node is live; ask again after Retry-After')
}

/** The schema as @fastify/swagger reads it. */
export type RouteSchema = FastifySchema & { tags: string[], summary: string, operationId: string }

export const connectionInfoSchema: RouteSchema = {
  tags: ['co-browsing'],
  summary: 'Which WebSocket node holds the room',
  operationId: 'getConnectionInfo',
  body: ConnectionInfoSchema,
  response: { 200: ConnectionInfoAnswer, ...ERROR_ANSWERS }
}

export const releaseSchema: RouteSchema = {
  tags: ['co-browsing'],
  summary: 'Ends the co-browsing of a call',
  operationId: 'releaseConnection',
  body: ReleaseSchema,
  response: { 200: ReleaseAnswer, ...ERROR_ANSWERS }
}

// Does not coerce: the host's own validator may turn 12345 into "12345".
const ajv = new Ajv({ strict: false })

/** Makes a check that returns only the named fields, and throws an InvalidBodyError that names the wrong one. */
function createBodyCheck<Body extends object> (schema: TObject, rules: Record<keyof Body & string, string>) {
  const validate = ajv.compile<Body>(schema)
  // The type of `Object.keys` loses the names.
  const names = Object.keys(rules) as Array<keyof Body & string>

  return function checkBody (body: unknown): Body {
    if (!validate(body)) {
      const fault = validate.errors?.[0]
      const field = fault?.keyword === 'required' ? String(fault.params.missingProperty) : fault?.instancePath.slice(1)
      const name = names.find((known) => known === field)
      throw new InvalidBodyError(name === undefined ? 'the body must be a JSON object' : `${name} ${rules[name]}`)
    }
    const checked: Partial<Body> = {}
    for (const name of names) checked[name] = body[name]
    // The same fields that were validated.
    return checked as Body
  }
}

export const checkConnectionInfoBody = createBodyCheck<ConnectionInfoBody>(ConnectionInfoSchema, {
  roomId: ID_RULE,
  userId: ID_RULE,
  userName: 'must be a string of 1 to 128 characters without control characters',
  role: 'must be "recorder" or "replayer"'
})

export const checkReleaseBody = createBodyCheck<ReleaseBody>(ReleaseSchema, { callId: ID_RULE })
