import t from 'tap'
import { eventually, until } from '../support/until.js'
import { named, silent, startScriptedSite } from './scripted-site.js'
import { startClient, startSite } from './start-site.js'
import type { Test } from 'tap'

const ASKED = { token: 't', roomId: 'r', userId: 'u', userName: 'U', role: 'recorder' } as const
const NEVER = { minWait: 600_000, maxWait: 600_000 }

/** Simulates the events of a page, which Node.js lacks; chromium-page-cache.test.ts has Chromium's own. */
function bePage (t: Test) {
  const page = new EventTarget()
  const platform = globalThis as { addEventListener?: unknown, removeEventListener?: unknown }
  t.intercept(platform, 'addEventListener', { value: page.addEventListener.bind(page) })
  t.intercept(platform, 'removeEventListener', { value: page.removeEventListener.bind(page) })
  return (type: string, persisted?: boolean) => page.dispatchEvent(Object.assign(new Event(type), { persisted }))
}

t.test('a page – cached with an open connection – leaves the room, and asks again when shown', async (t) => {
  const dispatch = bePage(t)
  const site = await startSite(t)
  const client = site.connect(NEVER)
  const seats = () => [...site.relays.values()].reduce((sum, relay) => sum + relay.status().seats, 0)
  await until(() => client.messages.length > 0)
  dispatch('pagehide', true)
  await eventually(() => client.history, ['open', 'retry lost'])
  await eventually(seats, 0, 'seats')
  t.strictSame([client.connection.state, client.waits], ['waiting', [0]])
  dispatch('pageshow', true)
  await eventually(() => client.history, ['open', 'retry lost', 'open'])
  await eventually(seats, 1, 'seats')
})

t.test('a page – cached during a request – discards the answer, and asks again when shown', async (t) => {
  const dispatch = bePage(t)
  const site = await startScriptedSite(t, [silent, named()], (socket) => socket.send('hello'))
  const client = startClient(t, { baseUrl: site.base, ...ASKED, ...NEVER, timeout: 600_000 })
  await eventually(() => site.asked.length, 1, 'requests')
  dispatch('pagehide', true)
  await eventually(() => client.history, ['retry lost'])
  t.equal(site.asked.length, 1)
  dispatch('pageshow', true)
  await eventually(() => client.messages, ['hello'])
})

t.test('a page – shown or online again while it waits – asks again at once', async (t) => {
  for (const type of ['pageshow', 'online']) {
    const dispatch = bePage(t)
    const client = startClient(t, { baseUrl: 'http://127.0.0.1:2', ...ASKED, ...NEVER })
    await eventually(() => client.history.length, 1, 'attempts')
    dispatch(type, true)
    await eventually(() => client.history.length, 2, `attempts after ${type}`)
  }
})

t.test('a page – left for good – keeps its open connection', async (t) => {
  const dispatch = bePage(t)
  const site = await startSite(t)
  const client = site.connect()
  await until(() => client.messages.length > 0)
  dispatch('pagehide', false)
  t.equal(client.connection.state, 'open', 'closing is left to the browser')
})

t.test('a page – connection closed while cached – ends, and does not ask again', async (t) => {
  const dispatch = bePage(t)
  const site = await startSite(t)
  const client = site.connect()
  await until(() => client.messages.length > 0)
  dispatch('pagehide', true)
  await eventually(() => client.history, ['open', 'retry lost'])
  client.connection.close()
  t.equal(await client.connection.closed, undefined)
  dispatch('pageshow', true)
  t.strictSame(client.history, ['open', 'retry lost', 'closed'])
})
