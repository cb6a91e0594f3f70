import t from 'tap'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { elapse } from '../support/elapse.js'
import { startDemo } from '../support/start-demo.js'
import { eventually, until } from '../support/until.js'
import { startLiveSession, valueOf } from './live-session.js'
import type { Page } from 'playwright-core'

const skip = withoutChromium
t.teardown(closeChromium)

const textOf = async (page: Page, id: string) => (await page.locator(`#${id}`).textContent())?.trim()
const shows = async (page: Page, id: string, expected: string | RegExp) =>
  await eventually(async () => await textOf(page, id), expected, `#${id}`)
const isSharing = async (page: Page, expected: boolean, what = '#sharing is visible') =>
  await eventually(async () => await page.locator('#sharing').isVisible(), expected, what)

t.test('text typed by the customer – appears on the agent’s page, and each join brings the whole page', { skip }, async (t) => {
  const demo = await startDemo(t)
  const session = await startLiveSession(t, { customer: demo.base, agent: demo.base })
  const { customer, agent, replayed } = session
  const ms = await session.type('name', 'Li Na Wang')
  // A quiet machine takes 0.1 to 0.2 s; a loaded one may take longer.
  t.comment(`typed text appears after ${Math.round(ms)} ms`)
  await customer.page.fill('#thing', 'Camera')
  await customer.page.click('#add')
  await until(async () => (await replayed.locator('#things').textContent())?.includes('Camera'), 'the list changes')
  await shows(customer.page, 'watchers', 'Watching: Anna')
  await shows(agent.page, 'people', 'Customer: Li Na')
  await shows(agent.page, 'note', '')

  await agent.page.reload()
  await eventually(async () => await valueOf(replayed, 'name'), 'Li Na Wang', 'an agent after a reload sees the whole page')
  await customer.page.reload()
  await isSharing(customer.page, true, 'consent survives a reload, and shows')
  await eventually(async () => await valueOf(replayed, 'name'), '', 'a customer after a reload is seen with the new page')
  await session.type('name', 'again')
  const late = await openPage(customer.page.context(), agent.page.url())
  const lateFrame = late.page.frameLocator('#replay iframe')
  await eventually(async () => await valueOf(lateFrame, 'name'), 'again', 'a late agent sees the whole page')
  await shows(agent.page, 'people', /1 more watching/)
  t.strictSame([...session.complaints(), ...late.complaints], [])
})

t.test('the page – before consent and after its end – is not sent', { skip }, async (t) => {
  const { base } = await startDemo(t)
  const context = await openBrowser(t)
  const agent = await openPage(context, `${base}/demo/agent?room=r`)
  const { page, sent, requests } = await openPage(context, `${base}/demo/customer?room=r`)
  await page.fill('#name', 'not for others')
  await page.click('#share')
  await page.getByRole('button', { name: 'Not now' }).click()
  await isSharing(page, false)
  t.notOk(requests.some((url) => url.startsWith('ws')))

  await page.click('#share')
  await page.click('#agree')
  await isSharing(page, true)
  await agent.page.frameLocator('#replay iframe').locator('#name').waitFor()
  await page.click('#stop')
  await isSharing(page, false)
  await shows(page, 'status', 'Not shared any more')
  await shows(agent.page, 'note', /stopped sharing/)
  const count = sent.length
  await page.fill('#name', 'late')
  await page.reload()
  await page.waitForLoadState()
  await isSharing(page, false, 'sharing after a reload')
  t.equal(sent.length, count)

  await page.click('#share')
  await page.click('#agree')
  await shows(agent.page, 'note', '')
})

t.test('an agent that joins while sharing ends – sees nothing of the page', { skip }, async (t) => {
  const { base } = await startDemo(t)
  const session = await startLiveSession(t, { customer: base, agent: base })
  const { page, sent, complaints } = session.customer
  let letThrough = () => {}
  const held = new Promise<void>((resolve) => { letThrough = resolve })
  await page.route('**/releaseConnection', async (route) => {
    await held
    await route.continue()
  })
  await page.click('#stop')
  const count = sent.length
  const late = await openPage(page.context(), session.agent.page.url())
  await shows(late.page, 'people', /1 more watching/)
  await page.fill('#name', 'after the end')
  await elapse(1000, 'time for the page to send')
  t.equal(sent.length, count)
  letThrough()
  await shows(page, 'status', 'Not shared any more')
  t.strictSame(complaints, [])
})

t.test('a node that is stopped or drained – is left by both pages, without a click', { skip }, async (t) => {
  const demo = await startDemo(t, { NODE_PREFIX: 'node' })
  const session = await startLiveSession(t, { customer: demo.base, agent: demo.base })
  await session.type('name', 'before')
  for (const action of ['stop', 'drain'] as const) {
    const { left, ms } = await session.moveBy(action)
    t.comment(`${action}: both pages agree again after ${Math.round(ms)} ms`)
    const { page } = session.topology
    await page.locator(`[data-node="${left}"] [data-action=resume]`).click()
    await eventually(async () => await page.locator(`[data-node="${left}"]`).getAttribute('data-state'), 'serving')
    const moved = page.locator('#log li', { hasText: `Room live moved from ${left} to ` })
    await until(async () => await moved.count() > 0, 'the page to report the move')
  }
  t.strictSame(session.complaints(), [])
})

t.test('a second tab of the customer – takes over, and gives back when closed', { skip }, async (t) => {
  const { base } = await startDemo(t)
  const session = await startLiveSession(t, { customer: base, agent: base })
  await session.type('name', 'first tab')
  const second = await openPage(session.customer.page.context(), session.customer.page.url())
  await second.page.click('#share')
  await second.page.click('#agree')
  await eventually(async () => await valueOf(session.replayed, 'name'), '')
  await second.page.fill('#name', 'second tab')
  await eventually(async () => await valueOf(session.replayed, 'name'), 'second tab')
  await shows(session.customer.page, 'watchers', /Another tab of yours/)
  await second.page.close()
  await eventually(async () => await valueOf(session.replayed, 'name'), 'first tab')
})
