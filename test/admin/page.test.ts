import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import { memoryRegistry } from '../../lib/index.js'
import { NODES } from '../support/build-app.js'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { startAdmin, withNodes } from './start-admin.js'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Watched } from '../support/chromium.js'
import type { AdminOptions } from '../../types/admin.js'

const skip = withoutChromium
t.teardown(closeChromium)

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = { width: 360, height: 740 }
const DESKTOP = { width: 1280, height: 800 }
const HOSTILE = '<img src=x onerror=alert(1)>'

interface Opened extends Watched {
  registry: ReturnType<typeof memoryRegistry>
  order (): Promise<object | undefined>
}

const LISTED = [...NODES, { id: 'node-3', wssUrl: 'wss://10.1.2.5/ws', zone: 'az2', capacity: 500 }]

async function openAdmin (
  t: Test, browser: object = {}, options: Partial<AdminOptions> = {}, registry = memoryRegistry({ nodes: LISTED })
): Promise<Opened> {
  const { app } = await startAdmin(t, { registry, ...options })
  const base = await app.listen({ port: 0, host: '127.0.0.1' })
  const watched = await openPage(await openBrowser(t, browser), `${base}/admin`)
  await eventually(async () => await watched.page.locator('#status').textContent(), 'Live')
  return { ...watched, registry, order: async () => (await registry.operations?.orders())?.get('node-1') }
}

/** Returns the violations that axe-core finds, by rule and element. */
async function violations (page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' ' + target)))`)
}

/** The page asks at once when it becomes visible. */
const wake = async (page: Page) => await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')

const cell = (page: Page, id: string, title: string) => page.locator(`[data-node="${id}"] [data-title=${title}]`)

t.test('a node – cordoned with the keyboard alone – shows the order, and serves again', { skip }, async (t) => {
  const { page, complaints, requests, order } = await openAdmin(t)
  const press = async (...keys: string[]) => { for (const key of keys) await page.keyboard.press(key) }
  const focused = async () => await page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.id')
  const tabTo = async (name: string) => {
    for (let presses = 0; presses < 40 && await focused() !== name; presses++) await press('Tab')
    await eventually(focused, name, 'the element in focus')
  }
  const isOpen = async () => await page.locator('#dialog').isVisible()

  await tabTo('Cordon: node-1')
  await press('Enter')
  await eventually(focused, 'reason', 'the element in focus')
  await press('Enter')
  await eventually(async () => await page.locator('#dialog-fault').textContent(), /reason is missing/)
  await press('Escape')
  await eventually(isOpen, false)
  await eventually(order, undefined)
  await eventually(focused, 'Cordon: node-1', 'the element in focus')

  await press('Enter')
  await eventually(focused, 'reason', 'the element in focus')
  await page.keyboard.type('new kernel on Sunday')
  await press('Enter')
  await eventually(isOpen, false)
  await eventually(async () => await cell(page, 'node-1', 'State').textContent(), 'cordoned')
  await eventually(async () => await cell(page, 'node-1', 'Order').textContent(), /^cordon by anna 0 s ago: new kernel on Sunday$/)
  await eventually(async () => await page.locator('#said').textContent(), 'node-1 is cordoned.')
  await eventually(focused, 'Cordon: node-1', 'the element in focus')

  await tabTo('Take back: node-1')
  await press('Enter')
  await eventually(focused, 'reason', 'the element in focus')
  await press('Enter')
  await eventually(async () => await cell(page, 'node-1', 'State').textContent(), 'serving')
  await eventually(order, undefined)
  await eventually(focused, 'Cordon: node-1', 'the element in focus')
  t.strictSame(complaints, [])
  t.strictSame(requests.filter((url) => new URL(url).hostname !== '127.0.0.1' && !url.startsWith('data:')), [])
})

t.test('a drain and the end of a call – by mouse – reach the registry with their times', { skip }, async (t) => {
  const { page, registry, order } = await openAdmin(t)
  await page.click('[data-node=node-1] [data-verb=drain]')
  await page.fill('#deadline', '99999')
  await page.fill('#reason', 'disk is full')
  await page.click('#confirm')
  await eventually(async () => await page.locator('#dialog-fault').textContent(), /a number from 0 to 1440/)
  await page.fill('#deadline', '1.5')
  await page.fill('#return-within', '20')
  await page.click('#confirm')
  await eventually<object>(async () => ({ ...await order(), at: 0 }), {
    kind: 'drain', reason: 'disk is full', author: 'anna', deadline: 90_000, returnWithin: 20_000, at: 0
  })
  // What is filled in while a modal dialog is open goes nowhere: nothing outside of it takes the focus.
  await eventually(async () => await page.locator('#said').textContent(), 'node-1 is draining.')
  const ended: object[] = []
  const end = registry.end
  registry.end = async (room, options) => {
    ended.push(room)
    await end?.(room, options)
  }
  t.ok(end)
  await page.fill('#tenant', 't1')
  await page.fill('#room', 'not a room')
  await page.click('#end')
  await page.click('#confirm')
  await eventually(async () => await page.locator('#dialog-fault').textContent(), /^room must be a string/)
  await page.click('#cancel')
  await page.fill('#room', 'call-1')
  await page.click('#end')
  await page.click('#confirm')
  await eventually(async () => await page.locator('#said').textContent(), 'The call call-1 ended.')
  t.strictSame(ended, [{ tenant: 't1', room: 'call-1' }])
})

t.test('a room – explained, and moved with the dialog – shows where it is, and leaves its node', { skip }, async (t) => {
  const { page, registry, complaints } = await openAdmin(t, {}, {}, await withNodes('node-1', 'node-2', 'node-3'))
  const row = (title: string) => page.locator('#explanation div', { has: page.locator(`dt:text-is("${title}")`) }).locator('dd')
  const room = { tenant: 't1', room: 'call-1' }
  await page.fill('#tenant', room.tenant)
  await page.fill('#room', room.room)
  await page.click('#move')
  await eventually(async () => await page.locator('#room-fault').textContent(), /bound to no node, so there is nothing to move$/)
  const { node: { id: from } } = await registry.assign(room)
  const [, to = ''] = ['node-1', 'node-2', 'node-3'].filter((id) => id !== from)
  await page.press('#room', 'Enter')
  await eventually(async () => await row('Bound to').textContent(), `${from} (assigned, alive)`)
  await eventually(async () => await page.locator('#room-fault').textContent(), '')

  await page.click('#move')
  await eventually(async () => await page.locator('#dialog-title').textContent(), 'Move the room call-1')
  await eventually(async () => await violations(page), [], 'violations of the dialog')
  await page.click('#confirm')
  await eventually(async () => await page.locator('#dialog-fault').textContent(), /reason is missing/)
  await page.fill('#reason', 'the picture freezes')
  await page.selectOption('#target', to)
  await page.click('#confirm')
  await eventually(async () => await page.locator('#said').textContent(), `The room call-1 has left ${from}.`)
  await eventually(async () => await row('Bound to').textContent(), `${from} (moving to ${to}, given up, alive)`)
  await eventually(async () => await row('Next caller').textContent(), `the node ${to}: an operator moved the room away from ${from}`)
  await eventually(async () => await page.evaluate('document.activeElement.id'), 'move')
  const [moved, chosen] = await page.locator('#history li').allTextContents()
  t.match(moved, `anna moved the room away from ${from} to ${to}: the picture freezes`)
  t.match(chosen, new RegExp(` chose ${from}, from 3 with the loads `))
  await eventually(async () => await violations(page), [], 'violations of the page')
  await eventually(async () => (await registry.assign(room)).node.id, to)
  await wake(page)
  await eventually(async () => await row('Bound to').textContent(), `${to} (assigned, alive)`)
  t.strictSame(complaints, [])
})

t.test('a room that its node has not given up – is explained again until it has', { skip }, async (t) => {
  const { page, registry } = await openAdmin(t)
  const { operations = t.fail('no operations') as never } = registry
  const { explain } = operations
  await registry.assign({ tenant: 't1', room: 'call-1' })
  let state: 'moving' | 'moved' = 'moving'
  operations.explain = async (room) => {
    const { binding, ...explanation } = await explain(room)
    return { ...explanation, ...binding && { binding: { ...binding, state } } }
  }
  const bound = async () => await page.locator('#explanation').textContent()
  await page.fill('#tenant', 't1')
  await page.fill('#room', 'call-1')
  await page.click('#explain')
  await eventually(bound, /moving to another node, not given up, alive/)
  state = 'moved'
  await wake(page)
  await eventually(bound, /moving to another node, given up, alive/)
})

t.test('the page – in light and dark colours, at any width – has no violation that axe-core finds', { skip }, async (t) => {
  const { page, registry, complaints } = await openAdmin(t, { viewport: PHONE })
  await registry.operations?.setOrder('node-2', {
    kind: 'drain', reason: HOSTILE.padEnd(200, 'x'), author: 'a login of 64 characters'.padEnd(64, 'x')
  })
  await registry.operations?.setOrder('absent', { kind: 'cordon', reason: 'broken', author: 'li' })
  await wake(page)
  await eventually(async () => await cell(page, 'absent', 'State').textContent(), 'gone')
  await eventually(async () => (await cell(page, 'node-2', 'Order').textContent())?.includes(HOSTILE), true)
  await eventually(async () => await page.locator('table img').count(), 0)
  for (const [colorScheme, viewport] of [['light', PHONE], ['dark', PHONE], ['dark', DESKTOP]] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(viewport)
    const where = `in ${colorScheme} colours, at a width of ${viewport.width}`
    await eventually(async () => await violations(page), [], `violations ${where}`)
    await eventually(async () => await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false, where)
    await page.click('[data-node=node-2] [data-verb=drain]')
    await eventually(async () => await violations(page), [], `violations of the dialog ${where}`)
    await page.click('#cancel')
  }
  t.strictSame(complaints, [])
})

t.test('a page – hidden, and then shown – asks nothing, and then at once', { skip }, async (t) => {
  let author: string | false = 'anna'
  const { page, requests } = await openAdmin(t, {}, { authorize: () => author })
  const hide = async (isHidden: boolean) => {
    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true })`)
    await wake(page)
  }
  const asked = () => requests.filter((url) => url.endsWith('/api/nodes')).length
  await page.clock.install()
  await wake(page)
  await until(async () => {
    const before = asked()
    await page.clock.runFor(2000)
    return asked() > before
  }, 'the page to ask every two seconds')
  await hide(true)
  const before = asked()
  await page.clock.runFor(60_000)
  t.equal(asked(), before)
  author = false
  await hide(false)
  await eventually(async () => await page.locator('#status').textContent(), /^Not up to date: you are not signed in/)
})
