import { Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { InvalidBodyError } from '../errors.js'
import type { TObject } from '@sinclair/typebox'
import type { ConnectionInfoBody, ReleaseBody } from '../../types/options.js'
import type { Role } from '../../types/role.js'

export const ID_RULE = 'must be a string of 1 to 64 characters A-Z a-z 0-9 . _ : @ -'

const Identifier = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9._:@-]+$', description, examples: [example] })

const callId = () => Identifier('the multimedia call id', '1659938875-16806492')
const FURTHER_FIELDS = 'further fields are ignored'

export const ConnectionInfoBodySchema = Type.Object({
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
  role: Type.Unsafe<Role>({
    type: 'string',
    enum: ['recorder', 'replayer'],
    description: 'recorder: the customer, whose page is captured; replayer: the agent, or an observer',
    examples: ['recorder']
  }),
  unopened: Type.Optional(Type.String({
    maxLength: 2048,
    description: 'the signature of the previous answer, if no WebSocket could be opened to its node'
  }))
}, { $id: 'CobrowseConnectionInfoBody', description: FURTHER_FIELDS })

export const ReleaseBodySchema = Type.Object({ callId: callId() }, {
  $id: 'CobrowseReleaseBody', description: FURTHER_FIELDS
})

// Does not coerce: the host's own validator may turn 12345 into "12345".
const ajv = new Ajv({ strict: false })

/** The rules of the fields, for error messages. */
export const RULES: Record<keyof ConnectionInfoBody & string, string> = {
  roomId: ID_RULE,
  userId: ID_RULE,
  userName: 'must be a string of 1 to 128 characters without control characters',
  role: 'must be "recorder" or "replayer"',
  unopened: 'must be the signature of an earlier answer'
}

/** Makes a check that returns only the named fields, and throws an InvalidBodyError that names the wrong one. */
export function createBodyCheck<Body extends object> (schema: TObject, rules: Record<keyof Body & string, string>) {
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
    for (const name of names) if (body[name] !== undefined) checked[name] = body[name]
    // The same fields that were validated.
    return checked as Body
  }
}

export const checkConnectionInfoBody = createBodyCheck<ConnectionInfoBody>(ConnectionInfoBodySchema, RULES)

export const checkReleaseBody = createBodyCheck<ReleaseBody>(ReleaseBodySchema, { callId: ID_RULE })
