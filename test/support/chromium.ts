import { chromium } from 'playwright-core'
import { skipWithout } from './skip-reason.js'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'

export const withoutChromium = skipWithout('chromium')

// These options keep Chromium from trying to reach external services, and from reporting failures, at every start.
const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'
]

let shared: Promise<Browser> | undefined

/** Re-enables the back/forward cache, which Playwright turns off. */
const WITH_PAGE_CACHE = ['--disable-back-forward-cache']

/** One Chromium for the whole file, closed with it. */
async function launch (): Promise<Browser> {
  shared ??= chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS })
  return await shared
}

/** Starts a Chromium that caches pages for `history.back()`, closed with the test. */
export async function openBrowserWithPageCache (t: Test): Promise<BrowserContext> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium', args: ARGS, ignoreDefaultArgs: WITH_PAGE_CACHE
  })
  t.teardown(() => browser.close())
  return await browser.newContext()
}

export async function closeChromium (): Promise<void> {
  await (await shared)?.close()
}

/** Opens a browser context with its own cookies and storage, closed at the end of the test. */
export async function openBrowser (t: Test, options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
  const context = await (await launch()).newContext(options)
  t.teardown(() => context.close())
  return context
}

export interface Watched {
  page: Page
  /** Errors of the page: on the console, uncaught, and failed requests. */
  complaints: string[]
  /** Addresses of all requests, including WebSockets. */
  requests: string[]
  /** Messages that the page sent over WebSockets. */
  sent: string[]
}

export async function openPage (context: BrowserContext, url: string): Promise<Watched> {
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  const sent: string[] = []
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()) })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText ?? ''}`))
  page.on('request', (request) => requests.push(request.url()))
  page.on('websocket', (socket) => {
    requests.push(socket.url())
    socket.on('framesent', ({ payload }) => sent.push(payload.toString()))
  })
  await page.goto(url)
  return { page, complaints, requests, sent }
}
