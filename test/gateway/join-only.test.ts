import * as jose from 'jose'
import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import {
  InternalError, memoryRegistry, NoLiveNodeError, RegistrySettlingError, staticProvision, verifySignature
} from '../../lib/index.js'
import { body, buildApp, NODES, session, signing } from '../support/build-app.js'
import { failWith, scriptRegistry } from '../support/scripted-registry.js'
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { CobrowseOptions } from '../../types/index.js'

const away = failWith(new Error('connect ECONNREFUSED'))
const settling = failWith(new RegistrySettlingError())
const never = () => new Promise<never>(() => {})
const HOUR_MS = 3_600_000

function block (ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end) { /* simulates a long garbage collection, or a loop of the host */ }
}

/** Returns the kind of the answer: of its signature, or the retCode. */
function kindOf (response: LightMyRequestResponse): string {
  const { retCode, data } = response.json()
  return retCode === '0' ? String(jose.decodeProtectedHeader(data.signature).typ) : retCode
}
const NORMAL = 'cobrowse+jwt'
const JOIN_ONLY = 'cobrowse-join+jwt'

/** Starts a gateway that has answered for the room of `body`, and for no other. */
async function buildKnowing (t: Test, options: Partial<CobrowseOptions> = {}) {
  const script = scriptRegistry()
  const built = await buildApp(t, { options: { registry: script.registry, ...options } })
  const first = await built.ask()
  t.equal(kindOf(first), NORMAL)
  const [node] = script.registry.nodes().filter(({ wssUrl }) => wssUrl === first.json().data.wssUrl)
  if (node === undefined) throw new Error('the answer names a node of the registry')
  return { ...built, script, node }
}

t.test('a known room – answer unread because the event loop is busy – is answered join-only, a new one 50306', async (t) => {
  const { ask, script } = await buildKnowing(t, { timeout: 1000 })
  let isBusy = true
  const workOn = () => {
    block(5)
    if (isBusy) setImmediate(workOn)
  }
  script.instead = never
  workOn()
  t.equal(kindOf(await ask()), JOIN_ONLY)
  t.equal(kindOf(await ask({ payload: { ...body, roomId: 'new' } })), '50306')
  isBusy = false
  script.instead = undefined
  t.equal(kindOf(await ask()), NORMAL)
})

for (const [what, instead, retCode] of [['away', away, '50302'], ['settling', settling, '50303']] as const) {
  t.test(`a known room – store ${what} – is answered join-only, a new one ${retCode}`, async (t) => {
    const { ask, script, node } = await buildKnowing(t)
    script.instead = instead
    const response = await ask({ payload: { ...body, role: 'replayer' } })
    t.equal(kindOf(response), JOIN_ONLY)
    t.equal(response.headers['cache-control'], 'no-store')
    const { data } = response.json()
    t.match(data, {
      roomId: body.roomId, wssUrl: node.wssUrl, wssUrlOut: `wss://relay.example${new URL(node.wssUrl).pathname}`
    })
    t.equal(jose.decodeJwt(data.signature).aud, node.id)
    const claims = await verifySignature(data.signature, { ...signing, node, acceptJoinOnly: true })
    t.match(claims, { tenant: 't1', room: body.roomId, user: 'u1', role: 'replayer', node: node.id, joinOnly: true })
    await t.rejects(verifySignature(data.signature, { ...signing, node }), 'the signature opens no room')
    t.equal(kindOf(await ask({ payload: { ...body, roomId: 'new' } })), retCode)

    script.instead = undefined
    t.equal(kindOf(await ask()), NORMAL, 'as soon as the store answers again')
  })
}

t.test('a room of another tenant – same name – is another room', async (t) => {
  const { app, script } = await buildKnowing(t)
  script.instead = away
  const ask = async (tenantId: string) =>
    await app.cobrowse.connectionInfo({ ...session, tenantId }, { ...body, role: 'recorder' })
  await t.resolves(ask('t1'))
  await t.rejects(ask('t2'), { code: 'FST_COBROWSE_50302' })
})

t.test('the date of a join-only answer – follows the store’s clock as it advanced since the last good answer', async (t) => {
  const { ask, script } = await buildKnowing(t)
  script.change = (assignment) => ({ ...assignment, issuedAt: assignment.issuedAt + HOUR_MS })
  await ask({ payload: { ...body, roomId: 'another-room' } })
  script.instead = away
  block(1100)
  const askedAt = Date.now()
  const { data } = (await ask()).json()
  const { iat = 0, exp = 0 } = jose.decodeJwt(data.signature)
  // The monotonic clock, which counts here, may differ by a millisecond.
  t.ok(iat >= Math.floor((askedAt + HOUR_MS - 2) / 1000) && iat <= (Date.now() + HOUR_MS + 2) / 1000, `${iat}`)
  t.equal(exp, iat + 15)
})

t.test('the node – named as in the last view – is answered only if that view lists it', async (t) => {
  const { ask, script, node } = await buildKnowing(t)
  script.instead = away
  const moved = { ...node, incarnation: 'another', wssUrl: 'wss://10.9.9.9/ws/cobrowse/9' }
  script.view = [...script.registry.nodes().filter(({ id }) => id !== node.id), moved]
  const { data } = (await ask()).json()
  t.match(data, { wssUrl: moved.wssUrl, wssUrlOut: 'wss://relay.example/ws/cobrowse/9' })
  t.equal(jose.decodeJwt(data.signature).aud, node.id)
  script.view = script.view.filter(({ id }) => id !== node.id)
  t.equal(kindOf(await ask()), '50302')
  script.view = [moved]
  t.equal(kindOf(await ask()), JOIN_ONLY, 'a node that is back')
})

t.test('an address that must not leave – in a join-only answer – does not leave either', async (t) => {
  const { ask, script, node } = await buildKnowing(t, { allowedHosts: ['10.1.2.0/24', 'relay.example'] })
  script.instead = settling
  script.view = [{ ...node, wssUrl: 'wss://evil.example/ws' }]
  t.equal(kindOf(await ask()), '50303')
  script.view = [{ ...node, wssUrlOut: 'wss://evil.example/ws' }]
  t.equal(kindOf(await ask()), '50304')
})

t.test('join-only answers – end joinOnlyFor seconds after the last view, and 0 switches them off', async (t) => {
  const { ask, script } = await buildKnowing(t, { joinOnlyFor: 60 })
  script.instead = away
  script.viewAgeMs = 60_000
  t.equal(kindOf(await ask()), JOIN_ONLY)
  script.viewAgeMs = 60_001
  t.equal(kindOf(await ask()), '50302')
  const never = await buildKnowing(t, { joinOnlyFor: 0 })
  never.script.instead = away
  t.equal(kindOf(await never.ask()), '50302')
})

t.test('a store that lists no live node – is believed, and the room is forgotten', async (t) => {
  const { ask, script } = await buildKnowing(t)
  script.instead = failWith(new NoLiveNodeError())
  t.equal(kindOf(await ask()), '50301')
  script.instead = away
  t.equal(kindOf(await ask()), '50302')
})

t.test('an ended room – is forgotten, and a room whose end failed stays known', async (t) => {
  const { app, ask, script } = await buildKnowing(t, {})
  const { registry } = script
  registry.end = away
  await t.rejects(app.cobrowse.endCall(session, body.roomId), { code: 'FST_COBROWSE_50302' })
  script.instead = away
  t.equal(kindOf(await ask()), JOIN_ONLY)
  registry.end = async () => {}
  await app.cobrowse.endCall({ ...session, tenantId: 't2' }, body.roomId)
  t.equal(kindOf(await ask()), JOIN_ONLY, 'the same call id in another tenant is another call')
  await app.cobrowse.endCall(session, body.roomId)
  t.equal(kindOf(await ask()), '50302')
})

t.test('a room – becomes known by its answer, not by a request', async (t) => {
  const script = scriptRegistry()
  const provision = { ...staticProvision('x.example'), externalUrl: away }
  const { ask } = await buildApp(t, { options: { registry: script.registry, provision } })
  t.equal(kindOf(await ask()), '50304')
  script.instead = away
  t.equal(kindOf(await ask()), '50302')
})

t.test('a store that hangs – costs its own limit first, and nothing once the breaker is open', async (t) => {
  const { ask, script } = await buildKnowing(t, { timeout: 500 })
  script.instead = never
  script.asked = 0
  const took: number[] = []
  for (let count = 0; count < 40; count++) {
    const startedAt = performance.now()
    t.equal(kindOf(await ask()), JOIN_ONLY)
    took.push(performance.now() - startedAt)
  }
  t.ok(script.asked < 20, `asked ${script.asked} times`)
  t.ok(Math.max(...took) < 5000, 'within the budget')
  t.ok((took.sort((a, b) => a - b)[10] ?? 100) < 50, 'most answers at once')
  t.equal(kindOf(await ask({ payload: { ...body, roomId: 'new' } })), '50302')
})

t.test('a request – time over – gets no signature', async (t) => {
  const { ask, script } = await buildKnowing(t, { timeout: 200 })
  script.instead = async () => {
    block(300)
    throw new Error('away')
  }
  t.equal(kindOf(await ask()), '50302')
})

t.test('a defect – in the registry – is not treated as an outage', async (t) => {
  const { ask, script } = await buildKnowing(t)
  script.instead = failWith(new InternalError())
  t.equal(kindOf(await ask()), '50001')
})

t.test('a custom registry – may answer from its own memory', async (t) => {
  const good = memoryRegistry({ nodes: NODES })
  const registry: CobrowseOptions['registry'] = {
    ...good, assign: async (...args) => ({ ...await good.assign(...args), joinOnly: true })
  }
  const { ask } = await buildApp(t, { options: { registry } })
  const response = await ask()
  t.equal(kindOf(response), JOIN_ONLY)
  t.match(jose.decodeJwt(response.json().data.signature).aud, /^node-[12]$/)
  registry.assign = away
  t.equal(kindOf(await ask()), '50302', 'such an answer makes no room known')
  registry.assign = async (...args) => ({ ...await good.assign(...args), joinOnly: true })
  const off = await buildApp(t, { options: { registry, joinOnlyFor: 0 } })
  t.equal(kindOf(await off.ask()), '50302')
})

t.test('an outage – is logged once, with its reason and number of answers', async (t) => {
  const lines: string[] = []
  const metrics = new PromRegistry()
  const script = scriptRegistry()
  const logger = { level: 'info', stream: { write (line: string) { lines.push(line) } } }
  const { ask } = await buildApp(t, {
    server: { logger, requestTimeout: 1000 }, options: { registry: script.registry, metrics }
  })
  const notices = () => lines.filter((line) => line.includes('join-only')).map((line) => JSON.parse(line))
  await ask()
  t.strictSame(notices(), [])
  script.instead = away
  for (let count = 0; count < 3; count++) await ask()
  t.match(notices(), [{ level: 40, dependency: 'registry', reason: /50302.*ECONNREFUSED/ }])
  t.notMatch(lines.join(''), body.roomId)
  const text = await metrics.metrics()
  t.match(text, 'cobrowse_signatures_issued_total{kind="normal"} 1')
  t.match(text, 'cobrowse_signatures_issued_total{kind="join-only"} 3')
  t.match(text, 'cobrowse_requests_total{outcome="ok",ret_code="0"} 4')
})
