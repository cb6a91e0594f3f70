import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { startDemo } from '../support/start-demo.js'
import { startLiveSession } from './live-session.js'

t.teardown(closeChromium)

t.test('passwords and private fields – filled in any way – are not on the wire', {
  skip: withoutChromium
}, async (t) => {
  const { base } = await startDemo(t)
  const session = await startLiveSession(t, { customer: base, agent: base })
  const { page, sent } = session.customer
  const count = sent.length
  await page.locator('#password').pressSequentially('hunter2-typed')
  await page.fill('#password', 'hunter2-pasted')
  await page.evaluate('document.querySelector("#password").value = "hunter2-by-script"')
  await page.evaluate('document.querySelector("#password").setAttribute("value", "hunter2-attribute")')
  await page.evaluate('document.querySelector("#password").type = "text"')
  await page.locator('#password').pressSequentially('hunter2-shown')
  await page.locator('#card').pressSequentially('4111222233334444')
  await page.evaluate('document.querySelector("#card").setAttribute("value", "4111222233334444")')
  await page.evaluate(`{
    const secret = document.createElement('p')
    secret.dataset.private = ''
    secret.textContent = 'private-from-the-start'
    document.querySelector('main').append(secret)
    const marked = document.querySelector('#notes').previousElementSibling
    marked.setAttribute('data-private', '')
    setTimeout(() => { marked.textContent = secret.textContent = 'private-later' })
  }`)
  await session.type('name', 'said at the end')
  await session.agent.page.reload()
  await session.replayed.locator('#name').waitFor()
  await session.type('name', 'after a new snapshot')

  t.ok(sent.length > count + 3, 'the other fields were sent')
  const wire = sent.join('\n')
  // The secrets are long enough that no timestamp and no signature contains them by chance.
  for (const secret of ['hunt', 'nter2', '41112222', '33334444', 'private-from', 'private-later']) {
    t.notOk(wire.includes(secret), `${secret} is not on the wire`)
  }
  t.match(wire, /said at the end/)
})
