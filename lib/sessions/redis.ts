import { Type } from '@sinclair/typebox'
import { takesDeadline } from '../common/adapter-call.js'
import { createAdapterState } from '../common/adapter-state.js'
import { checkOptions, FunctionOption, ObjectWithMethods } from '../common/check-options.js'
import { systemClock } from '../common/clock.js'
import { isOver, isOwnBacklog, untilOver, withinDeadline } from '../common/deadline.js'
import { AnsweredError } from '../common/reason.js'
import { assertReachable } from '../common/redis-state.js'
import { createKnownTokens } from './known-tokens.js'
import { createReader } from './reader.js'
import { equalsStored, readToken, toUid } from './token.js'
import type { Ending } from '../common/deadline.js'
import type { RedisSessionsOptions, Sessions } from '../../types/sessions.js'

type Decode = NonNullable<RedisSessionsOptions['decode']>

const GET_TIMEOUT_MS = 300
const PROBE_INTERVAL_MS = 2000

const OptionsSchema = Type.Object({
  redis: ObjectWithMethods('an ioredis client', 'get'),
  prefix: Type.Optional(Type.String({ description: 'a string' })),
  decode: Type.Optional(FunctionOption('a function (stored) => token'))
}, { additionalProperties: false })

/**
 * The published check of a `ccmessaging-token`: valid only if Redis holds exactly the received text for the token's
 * user.
 *
 * @throws TypeError that names the option and the rule
 */
export function redisSessions (options: RedisSessionsOptions): Sessions {
  checkOptions('redisSessions', OptionsSchema, options)
  const { redis, prefix = '', decode } = options
  const get = createReader(redis)
  const knownTokens = createKnownTokens()
  let timer: NodeJS.Timeout | undefined
  const state = createAdapterState({
    open () {
      probe()
      timer = setInterval(probe, PROBE_INTERVAL_MS).unref()
    },
    end () {
      clearInterval(timer)
    }
  })

  async function read (key: string, within?: Ending): Promise<string | null> {
    try {
      assertReachable(redis)
      const stored = await withinDeadline({ clock: systemClock, ms: GET_TIMEOUT_MS, within }, () => get(key))
      state.set('up')
      return stored
    } catch (error) {
      // A forger of tokens chooses the key. A key with a value of another type than text belongs to no token.
      if (isReply(error, 'WRONGTYPE')) return null
      if (isReply(error, 'NOPERM') && /\bkeys?\b/.test(error.message)) {
        throw new AnsweredError('Redis does not let this user read the key', { cause: error })
      }
      if (!isOver(within) && !isOwnBacklog(error)) state.set('down', 'Redis does not answer')
      throw error
    }
  }

  async function unwrap (decode: Decode, stored: string, ending: Ending): Promise<string> {
    let token: unknown
    try {
      token = await untilOver(decode(stored), ending)
    } catch (cause) {
      throw new AnsweredError('"decode" failed on a stored text', { cause })
    }
    if (typeof token !== 'string') throw new AnsweredError('"decode" must return a string')
    return token
  }

  // Without traffic nothing else would notice that Redis is gone, or back.
  function probe (): void {
    read(`${prefix}fastify-cobrowse-probe`).catch(() => {})
  }

  return {
    start: state.start,
    status: state.status,
    close: state.close,
    find: takesDeadline(async (token: string, ending: Ending) => {
      const known = knownTokens.get(token)
      const session = known ?? readToken(token)
      if (session === null) return null
      const stored = await read(prefix + toUid(session), ending)
      if (stored === null) return null
      const live = decode === undefined ? stored : await unwrap(decode, stored, ending)
      if (!equalsStored(token, live)) return null
      if (known === undefined) knownTokens.add(live, session)
      return session
    })
  }
}

function isReply (error: unknown, code: string): error is Error {
  return error instanceof Error && error.message.startsWith(code)
}
