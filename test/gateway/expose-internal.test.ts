import t from 'tap'
import { staticProvision } from '../../lib/index.js'
import { body, buildApp, session } from '../support/build-app.js'
import type { Test } from 'tap'
import type { CobrowseOptions } from '../../types/index.js'

async function fieldsOf (t: Test, exposeInternal: CobrowseOptions['exposeInternal'], headers = {}): Promise<string[]> {
  const { ask } = await buildApp(t, { options: { exposeInternal } })
  return Object.keys((await ask({ headers })).json().data)
}

const BOTH = ['roomId', 'wssUrl', 'wssUrlOut', 'signature']
const EXTERNAL = ['roomId', 'wssUrlOut', 'signature']

t.test('the internal address – is in each answer, in none, or as a function decides', async (t) => {
  t.strictSame(await fieldsOf(t, undefined), BOTH, 'as in the contract of the vendor')
  t.strictSame(await fieldsOf(t, 'always'), BOTH)
  t.strictSame(await fieldsOf(t, 'never'), EXTERNAL)
  const ofAgents: CobrowseOptions['exposeInternal'] = (_session, { role }, request) =>
    role === 'replayer' || request?.headers['x-network'] === 'internal'
  t.strictSame(await fieldsOf(t, ofAgents), EXTERNAL)
  t.strictSame(await fieldsOf(t, ofAgents, { 'x-network': 'internal' }), BOTH)
})

t.test('the function – for a call of the decorator – gets no request', async (t) => {
  const seen: unknown[] = []
  const { app } = await buildApp(t, { options: { exposeInternal: (...args) => seen.push(args) < 0 } })
  const { wssUrl } = await app.cobrowse.connectionInfo(session, { ...body, role: 'recorder' })
  t.equal(wssUrl, undefined)
  t.match(seen, [[session, { roomId: body.roomId }, undefined]])
})

t.test('a hidden internal address without an external one – is no answer', async (t) => {
  const provision = { ...staticProvision('x.example'), externalUrl: async () => null }
  const { ask } = await buildApp(t, { options: { exposeInternal: 'never', provision } })
  t.match((await ask()).json(), { retCode: '50304' })
})

t.test('a function that fails – shows nothing', async (t) => {
  for (const failing of [() => { throw new Error('of the host') }, async () => true]) {
    const { ask } = await buildApp(t, { options: { exposeInternal: failing as unknown as 'always' } })
    t.match((await ask()).json(), { retCode: '50001' })
  }
  const { ask } = await buildApp(t, { options: { exposeInternal: (() => 'yes') as unknown as 'always' } })
  t.strictSame(Object.keys((await ask()).json().data), EXTERNAL)
})

t.test('a wrong option – stops the start with a sentence that names it', async (t) => {
  await t.rejects(buildApp(t, { options: { exposeInternal: 'sometimes' as 'never' } }), /"exposeInternal" option .* "always", "never"/)
})
