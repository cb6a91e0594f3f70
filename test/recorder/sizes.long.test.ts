import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { snapshotsIn, startLab } from './lab.js'
import { countElements, eventsOf, tableOf } from './large-pages.js'
import type { LabPage } from './lab.js'

const skip = withoutChromium
t.teardown(closeChromium)

const MEBI = 1024 * 1024

const STYLES = `document.querySelector('#style').textContent = Array.from({ length: 11000 }, (_, place) =>
  '.utility-' + place + '{margin:' + place + 'px;background:linear-gradient(red, blue);padding:1px 2px 3px}').join('')`

const ROWS = `document.querySelector('#box').innerHTML = '<table>' + Array.from({ length: 2000 }, (_, row) =>
  '<tr id="r' + row + '"><td>' + row + '</td><td>some name</td><td>12.50 EUR</td></tr>').join('') + '</table>'`

const PAGES: Array<[title: string, page: LabPage, act?: string]> = [
  ['a table of 2,000 rows that comes while the page is shared', { body: '<div id="box"></div>' }, ROWS],
  ['a style sheet of 1.1 MB', { head: '<style id="style"></style>', body: '<p>text</p>', script: STYLES }],
  ['an image of 1.2 MB', { body: `<img src="data:image/png;base64,${'A'.repeat(1_200_000)}" width="10" height="10">` }],
  ['a page of 5 MB', tableOf(8000, 'cell '.repeat(90))]
]

t.test('large pages – shown and changed – reach the viewer, and go on', { skip }, async (t) => {
  const lab = await startLab(t, Object.fromEntries(PAGES.map(([, page], place) => [`page-${place}`, page])))
  for (const [place, [title, , act]] of PAGES.entries()) {
    await t.test(`${title} – in parts – is shown whole, and its changes follow`, async (t) => {
      const shared = await lab.open(t, `page-${place}`)
      const { page, sent, viewer } = shared
      if (act !== undefined) await page.evaluate(act)
      await shared.mark('typed after')
      await until(() => viewer.messages.some((text) => text.includes('"text":"typed after"')), 'the change at the viewer')
      const elements = await page.evaluate<number>("document.getElementsByTagName('*').length")
      t.equal(countElements(shared), elements, 'all elements')
      t.doesNotThrow(() => eventsOf(shared).forEach((text) => JSON.parse(text)))
      t.ok(sent.some((text) => text.startsWith('<')))
      t.ok(sent.every((text) => Buffer.byteLength(text) < MEBI), 'each message is small')
    })
  }
})

t.test('a page – too large to be shown – is told to both sides, and goes on being shared', { skip }, async (t) => {
  const lab = await startLab(t, {
    huge: {
      body: '<p id="box" hidden></p>', script: "document.querySelector('#box').textContent = 'x'.repeat(34 * 1024 * 1024)"
    }
  })
  const shared = await lab.open(t, 'huge', { isWatched: false })
  const { page, sent, told } = shared
  const viewer = lab.site.connect({ roomId: shared.room, userId: 'late', userName: 'Ben', role: 'replayer' })
  await until(() => viewer.messages.some((text) => text.startsWith('!{"code":"too-large"')), 'a note at the viewer')
  const isTold = async () => (await told()).some((it) => it.includes('too large to be shown: 34 MB of at most 32 MB'))
  await eventually(isTold, true)
  await page.fill('#open', 'not shown')
  await eventually(async () => await page.evaluate('[recorder.state, connection.state]'), ['watched', 'open'])
  t.notOk(sent.some((text) => /^<|^\{"type":[23],/.test(text)), 'no part of the page')
})

t.test('a page – that changes faster than the network – skips changes, and is sent again later', { skip }, async (t) => {
  const lab = await startLab(t, { fast: { body: '<div id="box"></div>' } })
  const { page } = await lab.open(t, 'fast', { isWatched: false })
  await page.evaluate(`(async () => {
    const { startRecorder, record } = await load()
    let onMessage
    window.sent = []
    window.slow = {
      state: 'open',
      bufferedAmount: 0,
      send: (text) => sent.push(text) > 0,
      on (event, listener) {
        if (event === 'message') onMessage = listener
        return () => {}
      }
    }
    startRecorder({ connection: slow, record })
    onMessage('{"type":"members","you":1,"recorder":1,"members":[{"id":2,"name":"Anna","role":"replayer"}]}')
  })()`)
  const sent = async () => await page.evaluate<string[]>('sent')
  await eventually(async () => snapshotsIn(await sent()), 1, 'snapshots')
  await page.evaluate('slow.bufferedAmount = 2 * 1024 * 1024')
  for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) {
    await page.evaluate(`new Promise((resolve) => {
      document.querySelector('#box').textContent = '${name}' + 'x'.repeat(512 * 1024)
      setTimeout(resolve)
    })`)
  }
  const count = (await sent()).length
  await page.evaluate('slow.bufferedAmount = 0')
  await eventually(async () => snapshotsIn(await sent()), 2, 'a snapshot')
  await eventually(async () => (await sent()).slice(count).some((text) => text.includes('fifthx')), true)
  const later = (await sent()).slice(count)
  t.ok(later.some((text) => text.includes('firstx')), 'changes that waited are sent')
  t.notOk(later.some((text) => text.includes('fourthx')), 'later ones are skipped')
})
