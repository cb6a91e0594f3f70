import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import cors from '@fastify/cors'
import t from 'tap'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { startSite } from './start-site.js'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Site } from './start-site.js'

const skip = withoutChromium
t.teardown(closeChromium)

const CLIENT = new URL('../../dist/lib/client/', import.meta.url)

/** An origin of its own, with nothing but the files of the helper as they are published. */
async function serveHelper (t: Test): Promise<string> {
  const server = createServer((request, response) => {
    const name = /^\/client\/([a-z-]+\.js)$/.exec(request.url ?? '')?.[1]
    if (name === undefined) response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>')
    else response.setHeader('content-type', 'text/javascript').end(readFileSync(new URL(name, CLIENT)))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A gateway that pages of the helper's origin may ask, with their cookie. */
async function startForPages (t: Test, nodes = 2): Promise<{ site: Site, page: Page }> {
  const origin = await serveHelper(t)
  const site = await startSite(t, {
    nodes,
    options: { allowedOrigins: [origin] },
    async before (app) {
      await app.register(cors, { origin, credentials: true, exposedHeaders: ['Retry-After'] })
    }
  })
  const context = await openBrowser(t)
  await context.addCookies([{ name: 'ccmessaging-token', value: site.tokenOf('u'), url: site.base }])
  const { page } = await openPage(context, origin)
  return { site, page }
}

/** Connects in the page; what happens there is told in `window.history`. */
async function connectInPage (page: Page, site: Site, options: object = {}): Promise<() => Promise<string[]>> {
  const given = { baseUrl: site.base, roomId: 'r', userId: 'u', userName: 'U', role: 'recorder', address: 'wssUrl' }
  await page.evaluate(`(async () => {
    const { connect } = await import('/client/index.js')
    window.told = []
    const read = (message) => typeof message === 'string' ? 'text' : new TextDecoder().decode(message)
    window.connection = connect({
      ...${JSON.stringify({ ...given, ...options })}, onMessage: (message) => told.push('message ' + read(message))
    })
    connection.on('open', () => told.push('open'))
    connection.on('retry', ({ error, wait }) => told.push('retry ' + error.code + (wait >= 1000 ? ' later' : '')))
    connection.on('close', (error) => told.push('closed ' + error?.code))
  })()`)
  return async () => await page.evaluate('told')
}

t.test('a page loads the helper as it is, and connects with its cookie from another origin', { skip }, async (t) => {
  const { site, page } = await startForPages(t)
  const told = await connectInPage(page, site)
  await until(async () => (await told()).includes('message text'))
  const agent = site.connect({ userId: 'agent', role: 'replayer' })
  // A token per user, and the page's cookie is that of another one.
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
  await page.evaluate('connection.release()')
  await eventually(async () => (await told()).at(-1), 'closed undefined')
})

t.test('Retry-After is honoured across origins', { skip }, async (t) => {
  const { site, page } = await startForPages(t, 0)
  const told = await connectInPage(page, site, { minWait: 1, maxWait: 1 })
  await eventually(async () => (await told())[0], 'retry 50301 later')
})

t.test('a browser that is online again does not wait', { skip }, async (t) => {
  const { site, page } = await startForPages(t)
  const told = await connectInPage(page, site, { minWait: 600_000, maxWait: 600_000 })
  await until(async () => (await told()).includes('message text'))
  await page.context().setOffline(true)
  for (const relay of site.relays.values()) relay.cut()
  await until(async () => (await told()).some((it) => it.startsWith('retry')))
  await page.context().setOffline(false)
  await until(async () => (await told()).filter((it) => it === 'open').length === 2)
})

t.test('a stop code of the gateway reaches the page', { skip }, async (t) => {
  const { site, page } = await startForPages(t)
  const told = await connectInPage(page, site, { userId: 'somebody-else' })
  await eventually(told, ['closed 40301'])
})
