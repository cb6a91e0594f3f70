import t from 'tap'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { eventually } from '../support/until.js'
import { serveVite } from './serve-vite.js'
import { startExample } from './start-example.js'

t.teardown(closeChromium)

t.test('both pages – built with Vite – show the agent what the customer shares, until the customer stops', {
  skip: withoutChromium
}, async (t) => {
  const gateway = await startExample(t, 'react/server.js', /relay node registered/)
  const url = await serveVite(t, 'react', gateway.base)
  const browser = await openBrowser(t)
  const { page: customer, complaints } = await openPage(browser, `${url}customer.html`)
  const { page: agent, complaints: ofAgent } = await openPage(browser, `${url}agent.html`)
  await eventually(async () => await agent.textContent('#state'), 'Waiting for the customer.')

  await customer.click('#share')
  await eventually(async () => await agent.textContent('#state'), 'This is the customer\'s page.')
  await eventually(async () => await customer.textContent('#watchers'), 'Watching: agent-1')
  const frame = agent.frameLocator('#picture iframe')
  await customer.fill('#amount', '100 EUR')
  await customer.fill('#password', 'secret')
  await eventually(async () => await frame.locator('#amount').inputValue(), '100 EUR')
  await customer.click('#more')
  await eventually(async () => await frame.locator('li').count(), 2)
  t.notMatch(await frame.locator('body').innerHTML(), /secret/)

  await customer.click('#stop')
  await eventually(async () => await agent.textContent('#state'), 'The customer has left.')
  await customer.fill('#amount', 'not shared')
  await customer.click('#share')
  await eventually(async () => await frame.locator('#amount').inputValue(), 'not shared')
  t.strictSame([...complaints, ...ofAgent], [])
  t.equal(await gateway.stop(), 0)
})
