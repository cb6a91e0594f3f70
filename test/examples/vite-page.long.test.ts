import t from 'tap'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { eventually } from '../support/until.js'
import { serveVite } from './serve-vite.js'
import { startExample } from './start-example.js'

t.teardown(closeChromium)

t.test('the page – built with Vite, in two windows – brings a text from the customer to the agent', {
  skip: withoutChromium
}, async (t) => {
  const gateway = await startExample(t, 'relay-fastify-websocket/server.js', /is registered/, { DRAIN_DEADLINE: '0' })
  const url = await serveVite(t, 'vite-page', gateway.base)
  const browser = await openBrowser(t)
  const { page: customer, complaints } = await openPage(browser, url)
  await customer.fill('#text', 'written before the agent came')
  const { page: agent } = await openPage(browser, `${url}?role=replayer`)
  await eventually(async () => await agent.inputValue('#text'), 'written before the agent came')
  await customer.fill('#text', 'and after')
  await eventually(async () => await agent.inputValue('#text'), 'and after')
  await eventually(async () => await agent.textContent('#state'), 'open')
  t.strictSame(complaints, [])

  await gateway.stop()
  await eventually(async () => await agent.textContent('#problem'), /trying again in \d+ s/)
})
