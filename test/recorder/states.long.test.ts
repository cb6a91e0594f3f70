import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { until } from '../support/until.js'
import { startLab } from './lab.js'
import type { Shared } from './lab.js'

const skip = withoutChromium
t.teardown(closeChromium)

const SVG = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='70' height='30'></svg>"

const PAGE = {
  body: `<img id="image" src="${SVG}"><iframe id="frame" style="border: 0; width: 210px; height: 90px"></iframe>
    <div id="menu" popover>menu</div>
    <form id="form">
      <select id="list" multiple><option>one</option><option>two</option><option selected>three</option></select>
      <input id="text" value="first"><input id="tick" type="checkbox">
      <input id="pin" type="password" value="secret">
    </form>`
}

/** The ids of elements in the snapshot, by their ids in the page. */
function idsIn ({ sent }: Shared): Record<string, number> {
  const ids: Record<string, number> = {}
  const read = (node: { id: number, attributes?: { id?: string }, childNodes?: never[] }) => {
    if (node.attributes?.id !== undefined) ids[node.attributes.id] = node.id
    node.childNodes?.forEach(read)
  }
  read(JSON.parse(sent.findLast((text) => text.startsWith('{"type":2,')) ?? '').data.node)
  return ids
}

const inputsOf = ({ sent }: Shared) => sent.filter((text) => text.includes('"source":5')).map((text) => JSON.parse(text).data)

t.test('images and frames – loaded at any time – are sent with their size', { skip }, async (t) => {
  const lab = await startLab(t, { states: PAGE })
  const shared = await lab.open(t, 'states')
  const { page, wire } = shared
  t.match(wire(), /"id":"image","src":"data:[^}]*"rr_width":"70px","rr_height":"30px"/)
  t.match(wire(), /"rr_width":"210px","rr_height":"90px"/)
  await page.evaluate(`document.body.insertAdjacentHTML('beforeend', "<img src=\\"${SVG.replace('70', '71')}\\">")`)
  await until(() => wire().includes('"attributes":{"rr_width":"71px","rr_height":"30px"}'), 'the size of the new image')
})

t.test('a popover – open or closed – is sent as such', { skip }, async (t) => {
  const lab = await startLab(t, { states: PAGE })
  const shared = await lab.open(t, 'states')
  const { page, wire } = shared
  await page.evaluate("document.querySelector('#menu').showPopover()")
  await until(() => wire().includes('"attributes":{"data-cobrowse-open":""}'), 'the open popover')
  await shared.join()
  t.match(wire(), /"id":"menu","popover":"","data-cobrowse-open":""/)
  await page.evaluate("document.querySelector('#menu').hidePopover()")
  await until(() => wire().includes('"attributes":{"data-cobrowse-open":null}'), 'the closed popover')
})

t.test('a list with several chosen options – changed by the user – tells the state of each', { skip }, async (t) => {
  const lab = await startLab(t, { states: PAGE })
  const shared = await lab.open(t, 'states')
  await shared.page.selectOption('#list', ['one', 'two'])
  await shared.mark('after')
  const { list } = idsIn(shared)
  const options = inputsOf(shared).filter(({ id, text }) => id !== list && ['one', 'two', 'three'].includes(text))
  const last = Object.fromEntries(options.map(({ text, isChecked }) => [text, isChecked]))
  t.strictSame(last, { one: true, two: true, three: false })
})

t.test('a form – reset – tells its fields again, but for the secret ones', { skip }, async (t) => {
  const lab = await startLab(t, { states: PAGE })
  const shared = await lab.open(t, 'states')
  const { page } = shared
  await page.fill('#text', 'second')
  await page.check('#tick')
  await page.evaluate("document.querySelector('#form').reset()")
  await shared.mark('after')
  const ids = idsIn(shared)
  const last = (name: string) => inputsOf(shared).findLast(({ id }) => id === ids[name])
  t.match(last('text'), { text: 'first', isChecked: false })
  t.match(last('tick'), { isChecked: false })
  t.match(inputsOf(shared).findLast(({ text }) => text === 'three'), { isChecked: true })
  t.notMatch(shared.wire(), /secret/)
  t.equal(shared.sent.filter((text) => text.startsWith('{"type":2,')).length, 1, 'no further snapshot')
})
