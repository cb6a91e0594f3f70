import t from 'tap'
import { openBrowserWithPageCache, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { snapshotsIn, startLab } from './lab.js'

const WATCH = 'addEventListener("pageshow", ({ persisted }) => { window.wasKept = persisted })'

t.test('a page – kept by the browser and shown again – is shown to its viewers again', { skip: withoutChromium }, async (t) => {
  const lab = await startLab(t, { plain: { body: '<p>text</p>', script: WATCH }, other: '<!doctype html><title>other</title>' })
  const shared = await lab.open(t, 'plain', { context: await openBrowserWithPageCache(t) })
  const { page, sent, viewer } = shared
  await shared.mark('before')
  await page.evaluate('setTimeout(() => { location.href = "/lab/other" })')
  await until(() => !viewer.messages.at(-1)?.includes('Li Na'), 'the page to leave the room')
  await eventually(async () => page.url(), `${lab.base}/lab/other`)
  const count = snapshotsIn(sent)
  await page.evaluate('setTimeout(() => history.back())')
  await eventually(async () => await page.evaluate('window.wasKept'), true, 'the page was kept')
  await until(() => snapshotsIn(sent) > count, 'a snapshot')
  await eventually(async () => await page.evaluate('recorder.state'), 'watched')
  await shared.mark('after')
  t.match(shared.wire(), /after/)
})
