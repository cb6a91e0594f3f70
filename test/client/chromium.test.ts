import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { connectInPage, startForPages } from './page-site.js'

const skip = withoutChromium
t.teardown(closeChromium)

t.test('a page – the helper loaded as published – connects with its cookie from another origin', { skip }, async (t) => {
  const { site, page } = await startForPages(t)
  const told = await connectInPage(page, site)
  await until(async () => (await told()).includes('message text'))
  const agent = site.connect({ userId: 'agent', role: 'replayer' })
  // Each user has a token; the page's cookie holds the other user's.
  await eventually(() => agent.connection.state, 'open')
  await until(async () => {
    await page.evaluate('connection.send("from the page")')
    return agent.messages.includes('from the page')
  })
  agent.connection.send('to the page')
  await until(async () => (await told()).includes('message to the page'))
  await eventually(async () => (await told()).filter((it) => it === 'open'), ['open'])

  for (const relay of site.relays.values()) relay.cut()
  await eventually(async () => (await told()).filter((it) => !it.startsWith('message')), ['open', 'retry lost', 'open'])
  await page.evaluate('connection.endCall()')
  await eventually(async () => (await told()).at(-1), 'closed undefined')
})

t.test('a Retry-After header – sent across origins – is honoured', { skip }, async (t) => {
  const { site, page } = await startForPages(t, { nodes: 0 })
  const told = await connectInPage(page, site, { minWait: 1, maxWait: 1 })
  await eventually(async () => (await told())[0], 'retry 50301 later')
})

t.test('a waiting browser – back online – asks at once', { skip }, async (t) => {
  const { site, page } = await startForPages(t)
  const told = await connectInPage(page, site, { minWait: 600_000, maxWait: 600_000 })
  await until(async () => (await told()).includes('message text'))
  await page.context().setOffline(true)
  for (const relay of site.relays.values()) relay.cut()
  await until(async () => (await told()).some((it) => it.startsWith('retry')))
  await page.context().setOffline(false)
  await until(async () => (await told()).filter((it) => it === 'open').length === 2)
})

t.test('a final error code of the gateway – sent across origins – reaches the page', { skip }, async (t) => {
  const { site, page } = await startForPages(t)
  const told = await connectInPage(page, site, { userId: 'somebody-else' })
  await eventually(told, ['closed 40301'])
})

t.test('a page – in an older browser without newer functions – connects and follows the room', { skip }, async (t) => {
  const { site, page } = await startForPages(t, {
    script: `
    delete AbortSignal.any
    delete AbortSignal.timeout
    delete AbortSignal.prototype.throwIfAborted
    delete AbortSignal.prototype.reason
    delete URL.canParse
    delete Object.hasOwn
    delete Object.groupBy
    delete Promise.withResolvers
    delete Promise.try
    for (const name of ['at', 'findLast', 'toSorted', 'toReversed', 'with']) delete Array.prototype[name]
    for (const name of ['at', 'replaceAll']) delete String.prototype[name]
    delete window.structuredClone
  `
  })
  const told = await connectInPage(page, site)
  await until(async () => (await told()).includes('message text'))
  for (const relay of site.relays.values()) relay.cut()
  await eventually(async () => (await told()).filter((it) => !it.startsWith('message')), ['open', 'retry lost', 'open'])
  await eventually(async () => await page.evaluate('typeof AbortSignal.any'), 'undefined')
})

t.test('a page – without AbortController – gets an error at once', { skip }, async (t) => {
  const { site, page } = await startForPages(t, { script: 'delete window.AbortController' })
  await t.rejects(connectInPage(page, site), /connect needs AbortController, which this browser does not have/)
})

t.test('a page – WebSocket forbidden by its content security policy – gets an error at once', { skip }, async (t) => {
  const { site, page } = await startForPages(t, { policy: "connect-src 'self' {gateway}" })
  const told = await connectInPage(page, site, { timeout: 600_000, minWait: 10, maxWait: 10 })
  await until(async () => (await told()).filter((it) => it === 'retry unopened').length > 2, 'three attempts')
})
