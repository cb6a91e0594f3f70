// `npm run screenshots`: takes the pictures of the README from the running demo, with Chromium.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'
import { prepare, root } from '../.ci/prepare.mjs'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const SIZE = { width: 760, height: 800 }
const ROOM = '1659938875-16806492'

prepare()
const demo = spawn(process.execPath, [`${root}dist/demo/server.js`], {
  env: { ...process.env, PORT: '0', NODE_PREFIX: 'node', NODES: '3' }, stdio: ['ignore', 'pipe', 'inherit']
})
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
try {
  const [line] = await once(createInterface({ input: demo.stdout }), 'line')
  const base = line.replace(/.* /, '')
  const context = await browser.newContext({ viewport: SIZE })
  const open = async (name) => {
    const page = await context.newPage()
    await page.goto(`${base}/demo/${name}?room=${ROOM}`)
    return page
  }
  const [topology, customer, agent] = [await open('topology'), await open('customer'), await open('agent')]
  const replayed = agent.frameLocator('#replay iframe')

  await customer.click('#share')
  await customer.click('#agree')
  await replayed.locator('#name').waitFor()
  const answers = { name: 'Li Na Wang', email: 'li.na@example.com', street: 'Nanjing Road 12', city: 'Shanghai' }
  for (const [field, text] of Object.entries(answers)) await customer.fill(`#${field}`, text)
  await customer.selectOption('#country', 'China')
  await customer.fill('#start', '2026-12-18')
  await customer.fill('#thing', 'Camera')
  await customer.click('#add')
  await customer.fill('#card', '4111 1111 1111 1111')
  await customer.fill('#password', 'correct horse')
  await customer.locator('#notes').scrollIntoViewIfNeeded()
  await agent.bringToFront()
  await agent.waitForTimeout(1500)
  const sides = [await customer.screenshot(), await agent.screenshot()]

  const room = topology.locator('.node', { has: topology.locator(`[data-room="${ROOM}"]`) })
  const left = await room.getAttribute('data-node')
  await room.locator('[data-action=stop]').click()
  await topology.locator('#log li', { hasText: `moved from ${left}` }).waitFor()
  const holder = await room.getAttribute('data-node')
  const free = ['node-1', 'node-2', 'node-3'].find((id) => ![left, holder].includes(id))
  await topology.waitForTimeout(1000)
  await topology.setViewportSize({ width: 1180, height: 660 })
  writeFileSync(`${root}docs/images/topology.png`, await topology.screenshot())
  writeFileSync(`${root}docs/images/admin.png`, await adminPage(context, base, free))
  writeFileSync(`${root}docs/images/session.png`, await sideBySide(context, sides))
} finally {
  await browser.close()
  demo.kill()
}

/** The page for operators, with an order for the node, and one room explained. */
async function adminPage (context, base, node) {
  const page = await context.newPage()
  await page.setViewportSize({ width: 1180, height: 760 })
  await page.goto(`${base}/admin/`)
  await page.evaluate(async (id) => await fetch(`api/nodes/${id}/order`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'cordon', reason: 'new kernel on Sunday' })
  }), node)
  await page.getByText('new kernel on Sunday').first().waitFor()
  await page.fill('#tenant', 'demo')
  await page.fill('#room', ROOM)
  await page.click('#explain')
  await page.locator('#explanation dt').last().waitFor()
  return await page.screenshot()
}

async function sideBySide (context, pictures) {
  const page = await context.newPage()
  await page.setViewportSize({ width: 2 * SIZE.width + 48, height: SIZE.height + 32 })
  const images = pictures.map((picture) =>
    `<img style="border-radius:8px" src="data:image/png;base64,${picture.toString('base64')}">`)
  await page.setContent(`<body style="margin:0;padding:16px;display:flex;gap:16px;background:#c9d1e0">${images.join('')}`)
  return await page.screenshot()
}
