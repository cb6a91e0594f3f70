import t from 'tap'
import { openBrowserWithPageCache, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { connectInPage, startForPages } from './page-site.js'
import type { Test } from 'tap'

const skip = withoutChromium

/** Navigates to another page of the same origin. */
const LEAVE = 'setTimeout(() => { location.href = "/other" })'
const RETURN = 'setTimeout(() => history.back())'
const WATCH = 'addEventListener("pageshow", ({ persisted }) => { window.wasKept = persisted })'

async function setUp (t: Test) {
  const { site, page, origin } = await startForPages(t, { context: await openBrowserWithPageCache(t), script: WATCH })
  const isThere = async (path: string) =>
    await eventually(async () => [page.url(), await page.evaluate('document.readyState')], [origin + path, 'complete'])
  return {
    site,
    page,
    seats: () => [...site.relays.values()].reduce((seats, relay) => seats + relay.status().seats, 0),
    async leave () {
      await page.evaluate(LEAVE)
      await isThere('/other')
    },
    async comeBack () {
      await page.evaluate(RETURN)
      await isThere('/')
      await eventually(async () => await page.evaluate('window.wasKept'), true, 'the page was kept')
    }
  }
}

t.test('a page – cached by the browser with an open connection – gives up its seat, and asks again when shown', { skip }, async (t) => {
  const { site, page, seats, leave, comeBack } = await setUp(t)
  const told = await connectInPage(page, site, { minWait: 600_000, maxWait: 600_000 })
  await eventually(seats, 1, 'seats')
  await until(async () => (await told()).includes('message text'))
  await leave()
  await eventually(seats, 0, 'seats while the page is kept')
  await comeBack()
  await eventually(async () => (await told()).filter((it) => !it.startsWith('message')), ['open', 'retry lost', 'open'])
  await eventually(seats, 1, 'seats')
})

t.test('a page – cached by the browser while it waits – asks again as soon as it is shown', { skip }, async (t) => {
  const { site, page, leave, comeBack } = await setUp(t)
  const told = await connectInPage(page, site, { minWait: 600_000, maxWait: 600_000 })
  await until(async () => (await told()).includes('message text'))
  for (const relay of site.relays.values()) relay.cut()
  await until(async () => (await told()).includes('retry lost later'))
  await leave()
  await comeBack()
  await eventually(async () => (await told()).filter((it) => it === 'open').length, 2, 'opened')
})

t.test('a page – connection closed before the browser caches it – stays closed', { skip }, async (t) => {
  const { site, page, seats, leave, comeBack } = await setUp(t)
  const told = await connectInPage(page, site)
  await until(async () => (await told()).includes('message text'))
  await page.evaluate('connection.close()')
  await eventually(seats, 0, 'seats')
  await leave()
  await comeBack()
  await eventually(async () => await page.evaluate('connection.state'), 'closed')
  await eventually(async () => (await told()).at(-1), 'closed undefined')
})
