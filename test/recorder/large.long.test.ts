import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { until } from '../support/until.js'
import { snapshotsIn, startLab } from './lab.js'
import { countElements, snapshotsAt, tableOf } from './large-pages.js'

const skip = withoutChromium
t.teardown(closeChromium)

const PATIENCE_MS = 60_000
/** The page stands still for so long, on an idle machine. */
const MAX_JSON_MS = 500

/** Notes how long the page stood still for one snapshot, and how long JSON took of it. */
const MEASURE = `
  window.longest = { snapshot: 0, json: 0 }
  const measure = (name, owner, method, isLarge) => {
    const original = owner[method]
    owner[method] = function (...values) {
      const startedAt = performance.now()
      const result = original.apply(this, values)
      if (isLarge(result)) longest[name] = Math.max(longest[name], performance.now() - startedAt)
      return result
    }
  }
  measure('json', JSON, 'stringify', (text) => text?.length > 1e6)
  load().then(({ record }) => measure('snapshot', record, 'takeFullSnapshot', () => true))`

t.test('a page of 20 MB – sent twice – is shown whole, and goes on', { skip }, async (t) => {
  const lab = await startLab(t, { large: tableOf(25_000, 'cell '.repeat(120)) })
  const shared = await lab.open(t, 'large', { before: MEASURE })
  const { page, sent } = shared
  await shared.mark('typed after')
  const elements = await page.evaluate<number>("document.getElementsByTagName('*').length")
  await until(() => shared.viewer.messages.some((text) => text.includes('"text":"typed after"')), 'the change', PATIENCE_MS)
  t.equal(countElements(shared), elements)
  await page.evaluate('recorder.show()')
  await until(() => snapshotsAt(shared) === 2, 'a second snapshot', PATIENCE_MS)
  await shared.mark('typed at the end')
  const { snapshot, json } = await page.evaluate<{ snapshot: number, json: number }>('longest')
  t.comment(`${Math.round(sent.join('').length / 2e6)} MB: a snapshot ${Math.round(snapshot)} ms, JSON ${Math.round(json)} ms`)
  t.ok(json > 0 && json < MAX_JSON_MS, `JSON took ${json} ms`)
})

t.test('a page – too large until it shrinks – is shown then, without a new note', { skip }, async (t) => {
  const lab = await startLab(t, {
    huge: {
      body: '<p id="box" hidden></p>', script: "document.querySelector('#box').textContent = 'x'.repeat(34 * 1024 * 1024)"
    }
  })
  const shared = await lab.open(t, 'huge', { isWatched: false })
  const { page, sent } = shared
  const viewer = lab.site.connect({ roomId: shared.room, userId: 'late', userName: 'Ben', role: 'replayer' })
  await until(() => viewer.messages.some((text) => text.startsWith('!{"code":"too-large"')), 'a note at the viewer')
  viewer.connection.send('snapshot')
  await page.evaluate("document.querySelector('#box').innerHTML = '<b>small</b>'.repeat(20)")
  await until(() => snapshotsIn(sent) === 1, 'a snapshot')
  await shared.mark('small enough')
  t.equal(sent.filter((text) => text.startsWith('!')).length, 1, 'one note')
})
