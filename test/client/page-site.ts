import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import cors from '@fastify/cors'
import { openBrowser, openPage } from '../support/chromium.js'
import { startSite } from './start-site.js'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Site } from './start-site.js'

const CLIENT = new URL('../../dist/lib/client/', import.meta.url)

/** Placeholder for the gateway's address in `policy`. */
const GATEWAY = '{gateway}'

export interface PageOptions {
  nodes?: number
  /** Content security policy of the page. */
  policy?: string
  context?: BrowserContext
  /** Script that runs before every other script of the page. */
  script?: string
}

/** Serves an origin of its own that has only the published files of the helper. */
async function serveHelper (t: Test, policy: () => string | undefined): Promise<string> {
  const server = createServer((request, response) => {
    const name = /^\/client\/([a-z-]+\.js)$/.exec(request.url ?? '')?.[1]
    if (name !== undefined) {
      response.setHeader('content-type', 'text/javascript').end(readFileSync(new URL(name, CLIENT)))
      return
    }
    const value = policy()
    if (value !== undefined) response.setHeader('content-security-policy', value)
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Starts a gateway that accepts pages of the helper's origin, with their cookie. */
export async function startForPages (
  t: Test, { nodes = 2, policy, context, script }: PageOptions = {}
): Promise<{ site: Site, page: Page, origin: string }> {
  let gateway = ''
  const origin = await serveHelper(t, () => policy?.replace(GATEWAY, gateway))
  const site = await startSite(t, {
    nodes,
    options: { allowedOrigins: [origin] },
    async before (app) {
      await app.register(cors, { origin, credentials: true, exposedHeaders: ['Retry-After'] })
    }
  })
  gateway = site.base
  const browser = context ?? await openBrowser(t)
  await browser.addCookies([{ name: 'ccmessaging-token', value: site.tokenOf('u'), url: site.base }])
  if (script !== undefined) await browser.addInitScript(script)
  const { page } = await openPage(browser, origin)
  return { site, page, origin }
}

/** Connects in the page; `window.told` records the events. */
export async function connectInPage (page: Page, site: Site, options: object = {}): Promise<() => Promise<string[]>> {
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
