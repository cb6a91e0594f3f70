import { readFileSync } from 'node:fs'
import { openBrowser, openPage } from '../support/chromium.js'
import { ROOT } from '../support/doc-blocks.js'
import { eventually } from '../support/until.js'
import type { Test } from 'tap'
import type { Page } from 'playwright-core'
import type { Watched } from '../support/chromium.js'
import type { Deployment } from './deployment.js'

/** A page of an application: the text of the recorder appears at the replayer, also after either side reconnected. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>Session</title><textarea></textarea><script type="module">
  import { connect } from '/client/index.js'
  const { role, userId, roomId } = Object.fromEntries(new URLSearchParams(location.search))
  const field = document.querySelector('textarea')
  const connection = connect({
    roomId, userId, userName: userId, role,
    onMessage (text) {
      if (role === 'replayer') field.value = text
      else connection.send(field.value)
    }
  })
  if (role === 'recorder') field.addEventListener('input', () => connection.send(field.value))
  connection.on('open', () => connection.send(role === 'recorder' ? field.value : 'what is there?'))
</script>`

export interface Session {
  customer: Watched
  agent: Watched
  /** Types at the customer, and waits until the agent sees the text. */
  type (text: string): Promise<void>
  /** Paths of the WebSockets that a page opened, in order. */
  nodesOf (side: Watched): string[]
}

/** Opens both sides of a call in Chromium, each with the cookie of its own user. */
export async function startSession (t: Test, deployment: Deployment, roomId: string): Promise<Session> {
  const { origin, issueToken } = deployment

  async function open (role: 'recorder' | 'replayer', userId: string): Promise<Watched> {
    // Chromium takes a page that the test fulfils for a public one, which needs a permission to connect to loopback.
    const context = await openBrowser(t, { ignoreHTTPSErrors: true, permissions: ['local-network-access'] })
    const value = await issueToken(userId)
    await context.addCookies([{ name: 'ccmessaging-token', value, url: origin, httpOnly: true }])
    await context.route(/\/(?:page\?|client\/|favicon)/, async (route) => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/page') return await route.fulfill({ contentType: 'text/html', body: PAGE })
      if (!pathname.startsWith('/client/')) return await route.fulfill({ status: 204 })
      const body = readFileSync(`${ROOT}dist/lib/${pathname}`, 'utf8')
      await route.fulfill({ contentType: 'text/javascript', body })
    })
    return await openPage(context, `${origin}/page?${new URLSearchParams({ role, userId, roomId }).toString()}`)
  }

  const customer = await open('recorder', 'customer-1')
  const agent = await open('replayer', 'agent-1')
  const textOf = async (page: Page) => await page.locator('textarea').inputValue()

  return {
    customer,
    agent,
    async type (text) {
      await customer.page.locator('textarea').fill(text)
      // A room whose node was killed waits for its lease.
      await eventually(async () => await textOf(agent.page), text, `the text "${text}" at the agent`, 60_000)
    },
    nodesOf: ({ requests }) => requests.filter((url) => url.startsWith('wss:')).map((url) => new URL(url).pathname)
  }
}
