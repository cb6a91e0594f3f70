import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { startDemo } from '../support/start-demo.js'
import { eventually } from '../support/until.js'
import { startLiveSession } from './live-session.js'
import type { Page } from 'playwright-core'

const skip = withoutChromium
t.teardown(closeChromium)

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = { viewport: { width: 360, height: 740 } }
const PAGES = ['/', '/demo/customer?room=r', '/demo/agent?room=r', '/demo/topology?room=r', '/admin/']

/** Returns the violations that axe-core finds (titles, labels, landmarks, contrast, …), by rule and element. */
async function violations (page: Page): Promise<string[]> {
  await page.evaluate(axe)
  // The replayed page belongs to the customer and is checked on the customer's side.
  return await page.evaluate(`axe.run({ exclude: [['iframe']] }, { resultTypes: ['violations'] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' ' + target)))`)
}

const passesAxe = async (page: Page, name: string) =>
  await eventually(async () => await violations(page), [], `violations that axe-core finds in ${name}`)
const scrollsSideways = async (page: Page) =>
  await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')

t.test('each page – loaded – has title, labels and contrast, and makes no external request', { skip }, async (t) => {
  const { base } = await startDemo(t)
  for (const options of [{}, PHONE]) {
    const context = await openBrowser(t, options)
    for (const path of PAGES) {
      const { page, complaints, requests } = await openPage(context, base + path)
      await page.waitForLoadState('load')
      await eventually(async () => await page.title(), /.{6}/, `${path} has a title`)
      await passesAxe(page, path)
      await eventually(async () => await scrollsSideways(page), false, `${path} scrolls sideways`)
      t.strictSame(requests.filter((url) => new URL(url).host !== new URL(base).host), [], 'no external request')
      t.strictSame(complaints, [])
      await page.close()
    }
  }
})

t.test('each page – during a session and in the consent dialog – has labels and contrast', { skip }, async (t) => {
  const { base } = await startDemo(t)
  const { customer, agent, topology } = await startLiveSession(t, { customer: base, agent: base })
  for (const { page, complaints } of [customer, agent, topology]) {
    await page.bringToFront()
    await passesAxe(page, page.url())
    t.strictSame(complaints, [])
  }
  await customer.page.click('#stop')
  await customer.page.click('#share')
  await passesAxe(customer.page, 'the dialog')
})

t.test('consent, its withdrawal and the nodes – are usable with the keyboard', { skip }, async (t) => {
  const { base } = await startDemo(t)
  const context = await openBrowser(t)
  const { page } = await openPage(context, `${base}/demo/customer?room=keys`)
  const press = async (...keys: string[]) => { for (const key of keys) await page.keyboard.press(key) }
  const focused = async () => await page.evaluate('document.activeElement.id || document.activeElement.dataset.action')
  const isSharing = async () => await page.locator('#sharing').isVisible()
  const tabTo = async (id: string) => {
    for (let presses = 0; presses < 40 && await focused() !== id; presses++) await press('Tab')
    await eventually(focused, id, 'the element in focus')
  }
  await tabTo('share')
  await press('Enter')
  await eventually(async () => await page.locator('#consent').isVisible(), true)
  await press('Escape')
  await eventually(async () => await page.locator('#consent').isVisible(), false)
  await eventually(isSharing, false, 'sharing after Escape, which means no')
  await tabTo('share')
  await press('Enter')
  await tabTo('agree')
  await press('Enter')
  await page.locator('#sharing').waitFor()
  await tabTo('stop')
  await press('Enter')
  await eventually(isSharing, false)
  await eventually(focused, 'share', 'the element in focus')

  await page.goto(`${base}/demo/topology`)
  await page.locator('[data-action=drain]').first().waitFor()
  await tabTo('drain')
  await press('Enter')
  await page.locator('[data-state=drained], [data-state=draining]').first().waitFor()
})
