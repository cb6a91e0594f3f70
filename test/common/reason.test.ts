import t from 'tap'
import { NoLiveNodeError, RegistryUnavailableError } from '../../lib/errors.js'
import { AnsweredError, isAnswered, ReasonError, stackOf, toReason } from '../../lib/common/reason.js'

const SECRET = 'eyJjcmVhdGVUaW1lIjoxfQ%3D%3D'

function thrownBy (work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('the function did not throw')
}

t.test('a reason – has the messages of our own errors, and only name and code of others', async (t) => {
  const chains: Array<[unknown, string]> = [
    [new ReasonError('the registry is closed'), 'ReasonError: the registry is closed'],
    [new RegistryUnavailableError({ cause: new AnsweredError('the binding cannot be read') }),
      'FastifyError FST_COBROWSE_50302: the registry cannot be asked < AnsweredError: the binding cannot be read'],
    [thrownBy(() => JSON.parse(SECRET)), 'SyntaxError'],
    [new TypeError(SECRET, { cause: new RangeError(SECRET) }), 'TypeError < RangeError'],
    [Object.assign(new Error(SECRET), { code: 'E_HOST' }), 'Error E_HOST'],
    [Object.assign(new Error(SECRET), { code: `${SECRET} `, name: `${SECRET} ` }), ''],
    [new Error(`connect ECONNREFUSED 10.9.9.9:6379 ${SECRET}`), 'Error ECONNREFUSED'],
    [Object.assign(new Error(`WRONGPASS ${SECRET}`), { name: 'ReplyError' }), 'ReplyError WRONGPASS'],
    [new Error('WANGFANG'), 'Error'],
    [{ statusCode: 500, message: SECRET }, 'a thrown object with statusCode, message'],
    [SECRET, 'a thrown string'],
    [undefined, 'a thrown undefined'],
    [null, 'a thrown null'],
    [{ [SECRET]: 1 }, 'a thrown object']
  ]
  for (const [thrown, reason] of chains) t.equal(toReason(thrown), reason)
})

t.test('a stack for the log – keeps its places, and no line of the message', async (t) => {
  const stack = stackOf(new Error(`${SECRET}\n    at ${SECRET}\n${SECRET}`))
  t.match(stack, /^ {4}at .*reason\.test\.ts/)
  t.notMatch(stack, SECRET)
})

t.test('an error – one of its causes is an answer – is an answer', async (t) => {
  t.ok(isAnswered(new RegistryUnavailableError({ cause: new Error('of ioredis', { cause: new AnsweredError('x') }) })))
  t.notOk(isAnswered(new RegistryUnavailableError({ cause: new ReasonError('x') })))
  t.notOk(isAnswered(new NoLiveNodeError()))
  t.notOk(isAnswered(undefined))
})
