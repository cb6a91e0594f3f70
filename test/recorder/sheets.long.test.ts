import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { eventually, until } from '../support/until.js'
import { openViewer, serve } from '../replayer/viewer-page.js'
import { startLab } from './lab.js'

const skip = withoutChromium
t.teardown(closeChromium)

const SHEETS = {
  'page.css': '@import "imported.css"; p { color: rgb(1, 1, 1) } @media print { p { color: rgb(1, 1, 2) } }',
  'imported.css': 'p { color: rgb(1, 1, 3); background: url(dark.css?token=secret) }',
  'dark.css': 'p { color: rgb(2, 2, 2) }',
  'shadow.css': 'p { color: rgb(3, 3, 3) }',
  'late.css': 'p { color: rgb(4, 4, 4) }'
}

const PAGE = {
  head: '<link id="link" rel="stylesheet" href="page.css">',
  body: '<p>text</p><div id="host"></div>',
  script: `const root = document.querySelector('#host').attachShadow({ mode: 'open' })
    root.innerHTML = '<link rel="stylesheet" href="shadow.css"><p>text</p>'`
}

const ARE_LOADED = `new Promise((resolve) => {
  const links = [document.querySelector('#link'), document.querySelector('#host').shadowRoot.querySelector('link')]
  const look = () => links.every(({ sheet }) => sheet !== null) ? resolve() : setTimeout(look, 10)
  look()
})`

t.test('linked style sheets – whose address no longer leads to them, or in a shadow root – are shown', { skip }, async (t) => {
  const lab = await startLab(t, { ...SHEETS, linked: PAGE })
  const shared = await lab.open(t, 'linked', {
    before: `${ARE_LOADED}.then(() => history.pushState({}, '', '/lab/much/deeper'))`
  })
  const { page, wire } = shared
  for (const color of ['1, 1, 1', '1, 1, 2', '1, 1, 3', '3, 3, 3']) t.match(wire(), `color: rgb(${color})`)
  t.notMatch(wire(), 'secret', 'addresses lose what they lose elsewhere')

  await page.evaluate("document.querySelector('#link').href = '/lab/dark.css'")
  await until(() => wire().includes('color: rgb(2, 2, 2)'), 'the sheet of the new address')
  await page.evaluate(`document.querySelector('#host').shadowRoot
    .append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/lab/late.css' }))`)
  await until(() => wire().includes('color: rgb(4, 4, 4)'), 'a sheet that is loaded late')
  t.strictSame(shared.complaints, [])

  const { members, pass, inFrame } = await openViewer(t)
  await members(2)
  await pass(...shared.sent)
  const colors = async () => await inFrame(`[d, d?.querySelector('#host')?.shadowRoot]
    .map((root) => root?.querySelector('p'))
    .map((element) => element && w.getComputedStyle(element).color)`)
  await eventually(colors, ['rgb(2, 2, 2)', 'rgb(4, 4, 4)'])
})

t.test('a style sheet of another server – that the page may not read – is left out, and the agent is told', { skip }, async (t) => {
  const other = await serve(t, { '/other.css': { type: 'text/css', body: 'p { color: rgb(6, 6, 6) }' } }, '')
  const lab = await startLab(t, {
    'imports.css': `@import "${other}/other.css"; p { color: rgb(8, 8, 8) }`,
    linked: {
      head: `<link rel="stylesheet" href="${other}/other.css">`,
      body: '<p>text</p><div id="host"></div>',
      script: `document.querySelector('#host').attachShadow({ mode: 'open' })
        .innerHTML = '<link rel="stylesheet" href="imports.css"><p>text</p>'`
    }
  })
  const shared = await lab.open(t, 'linked')
  const { wire } = shared
  await until(() => wire().includes('color: rgb(8, 8, 8)'), 'the sheet that imports another one')
  t.notMatch(wire(), 'rgb(6, 6, 6)')
  const { members, pass, told } = await openViewer(t)
  await members(2)
  await pass(...shared.sent)
  await eventually(async () => await told('note'), [
    { code: 'left-out', text: 'Styles that this page loads from another server are not shown.' }
  ])
})
