import t from 'tap'
import { startFirefox, withoutFirefox } from '../support/firefox.js'
import { startDemo } from '../support/start-demo.js'
import { eventually } from '../support/until.js'
import type { FirefoxTab } from '../support/firefox.js'

const textOf = async (tab: FirefoxTab, id: string) =>
  await tab.evaluate<string>(`document.getElementById('${id}').textContent.trim()`)
const click = async (tab: FirefoxTab, id: string) => await tab.evaluate(`document.getElementById('${id}').click()`)
const type = async (tab: FirefoxTab, id: string, text: string) => await tab.evaluate(`(() => {
  const field = document.getElementById('${id}')
  field.value = '${text}'
  field.dispatchEvent(new Event('input', { bubbles: true }))
})()`)
const replayed = async (tab: FirefoxTab, expression: string) =>
  await tab.evaluate<unknown>(`document.querySelector('#replay iframe')?.contentDocument.${expression}`)

t.test('a session in Firefox – typed, reloaded, ended – is seen as in Chromium', { skip: withoutFirefox }, async (t) => {
  const { base } = await startDemo(t)
  const firefox = await startFirefox(t)
  const customer = await firefox.open(`${base}/demo/customer?room=fox`)
  const agent = await firefox.open(`${base}/demo/agent?room=fox`)
  await click(customer, 'share')
  await click(customer, 'agree')
  await eventually(async () => await replayed(agent, 'querySelector(\'#name\') !== null'), true)
  await type(customer, 'name', 'Li Na Wang')
  await eventually(async () => await replayed(agent, 'querySelector(\'#name\').value'), 'Li Na Wang')
  await eventually(async () => await textOf(customer, 'watchers'), 'Watching: Anna')
  await customer.evaluate('location.reload()').catch(() => {})
  await eventually(async () => await replayed(agent, 'querySelector(\'#name\').value'), '')
  await type(customer, 'name', 'again')
  await eventually(async () => await replayed(agent, 'querySelector(\'#name\').value'), 'again')
  await click(customer, 'stop')
  await eventually(async () => await textOf(agent, 'note'), 'The customer stopped sharing, or has left.')
})
