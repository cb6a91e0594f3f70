import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { eventually } from '../support/until.js'
import { startLab } from './lab.js'

const skip = withoutChromium
t.teardown(closeChromium)

const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src 'self' ws:; img-src data:"

t.test('the indicator – each state of the recorder – is said, and viewers do not see it', { skip }, async (t) => {
  const lab = await startLab(t, { plain: { body: '<p>text</p>' } }, POLICY)
  const shared = await lab.open(t, 'plain', { isWatched: false })
  const { page } = shared
  await page.evaluate(`load().then(({ createIndicator }) => {
    window.stopped = 0
    document.body.append(createIndicator(recorder, { onStop: () => stopped++, words: { stop: 'Beenden' } }))
  })`)
  const indicator = page.locator('.cobrowse-indicator')
  const says = async (text: string) => await eventually(async () => await indicator.getByRole('status').textContent(), text)
  await says('No one is watching.')
  await shared.join()
  await says('Watching: Ben')
  await page.getByRole('button', { name: 'Pause' }).click()
  await says('Sharing is paused.')
  await page.getByRole('button', { name: 'Resume' }).click()
  await says('Watching: Ben')
  await shared.mark('after')
  t.notMatch(shared.wire(), /Watching: Ben|Beenden/)
  await page.getByRole('button', { name: 'Beenden' }).click()
  await eventually(async () => await page.evaluate('[recorder.state, stopped]'), ['stopped', 1])
  await eventually(async () => await indicator.count(), 0)
  t.strictSame(shared.complaints, [])
})

t.test('the indicator – another page is seen instead – says so', { skip }, async (t) => {
  const lab = await startLab(t, { plain: { body: '<p>text</p>' } })
  const { page, context, room } = await lab.open(t, 'plain')
  await page.evaluate('load().then(({ createIndicator }) => document.body.append(createIndicator(recorder)))')
  const second = await context.newPage()
  await second.goto(`${lab.base}/lab/plain`)
  await eventually(async () => await second.evaluate('window.isReady'), true)
  await second.evaluate(`shareNow(${lab.entryTo(room)}, {})`)
  await eventually(async () => await page.getByRole('status').textContent(), 'Another tab of yours is the one that is seen.')
})
