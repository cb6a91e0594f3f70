import t from 'tap'
import { closeChromium, openBrowser, withoutChromium } from '../support/chromium.js'
import { until } from '../support/until.js'
import { startLab } from './lab.js'
import { OTHER_PAGES, PRIVATE_PARTS } from './private-parts.js'

/** The beginning of a secret that is being typed is a secret, too. */
const LEAK = /.{0,80}stays.{0,30}|"(?:text|value)":"(?:s|st|sta|stay)"/g

const skip = withoutChromium
t.teardown(closeChromium)

t.test('private parts – of a shared page – never leave it', { skip }, async (t) => {
  const pages = PRIVATE_PARTS.map(({ page }, place) => [`page-${place}`, page])
  const lab = await startLab(t, { ...Object.fromEntries(pages), ...OTHER_PAGES })
  // A context of its own for each page would load and compile all modules anew.
  const context = await openBrowser(t)
  for (const [place, { title, before, recorder, act, seen = [] }] of PRIVATE_PARTS.entries()) {
    await t.test(`${title} – is not on the wire`, async (t) => {
      const options = { context, ...before !== undefined && { before }, ...recorder !== undefined && { recorder } }
      const shared = await lab.open(t, `page-${place}`, options)
      await act?.(shared)
      await shared.mark('open-after')
      for (const text of seen) await until(() => shared.wire().includes(text), `${text} on the wire`, 5000)
      await shared.join()
      await shared.mark('open-after-join')
      const leaks = shared.sent.flatMap((text) => [...text.matchAll(LEAK)].map(([part]) => part))
      t.strictSame(leaks.slice(0, 5), [])
      t.strictSame(shared.complaints.filter((text) => !/Failed to load|net::|404/.test(text)), [])
      await shared.page.close()
    })
  }
})
