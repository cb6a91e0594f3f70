import t from 'tap'
import { RegistryUnavailableError } from '../../lib/errors.js'
import { createDependency } from '../../lib/gateway/dependency.js'
import { CallerGoneError, createRequestContext } from '../../lib/gateway/request-context.js'

const make = (breaks = true) => createDependency({
  name: 'registry', limitMs: 20_000, breaks, Unavailable: RegistryUnavailableError, observe () {}
})
const unavailable = { code: 'FST_COBROWSE_50302' }

async function ask<T> (dependency: ReturnType<typeof make>, work: () => Promise<T>): Promise<T> {
  const context = createRequestContext(60_000)
  return await dependency.ask(context, work).finally(() => context.budget.done())
}
const failing = async () => await Promise.reject(new Error('no connection'))

t.test('a dependency – twelve callers leave while it is asked – is asked by the next one', async (t) => {
  const dependency = make()
  for (let caller = 0; caller < 12; caller++) {
    const context = createRequestContext(60_000)
    const asked = dependency.ask(context, async () => await new Promise(() => {}))
    context.budget.cancel()
    await t.rejects(asked, CallerGoneError)
  }
  t.equal(await ask(dependency, async () => 'asked'), 'asked')
})

t.test('a dependency – ten calls failed – is not asked, and the error says so', async (t) => {
  const dependency = make()
  for (let call = 0; call < 10; call++) await t.rejects(ask(dependency, failing), unavailable)
  const notAsked = ask(dependency, async () => t.fail('it was asked'))
  await t.rejects(notAsked, { ...unavailable, cause: { message: 'not asked after many failures' } })
})

t.test('a dependency without a breaker – ten calls failed – is asked', async (t) => {
  const dependency = make(false)
  for (let call = 0; call < 10; call++) await t.rejects(ask(dependency, failing), unavailable)
  t.equal(await ask(dependency, async () => 'asked'), 'asked')
})

t.test('a dependency – it throws before it returns a promise – is unavailable, and its timer is gone', async (t) => {
  await t.rejects(ask(make(), () => { throw new Error('at once') }), unavailable)
})
