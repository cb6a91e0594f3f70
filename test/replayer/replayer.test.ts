import t from 'tap'
import { addLater, BODY, element, mutation, page as pageOf, say, text } from '../demo/hostile-page.js'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { elapse } from '../support/elapse.js'
import { eventually, until } from '../support/until.js'
import { openViewer } from './viewer-page.js'
import type { Viewer } from './viewer-page.js'

const skip = withoutChromium
t.teardown(closeChromium)

const RECORDER = 2
const PART_CHARACTERS = 1000

const states = (viewer: Viewer) => async () => (await viewer.told('state')).join()

function toParts (event: object): string[] {
  const text = JSON.stringify(event)
  if (text.length <= PART_CHARACTERS) return [text]
  const parts = []
  for (let from = 0; from < text.length; from += PART_CHARACTERS) parts.push(text.slice(from, from + PART_CHARACTERS))
  return parts.map((part, place) => `${place === 0 ? '<' : place === parts.length - 1 ? '>' : '+'}${part}`)
}

t.test('the state – from an empty room to the end – follows the recorder', { skip }, async (t) => {
  const viewer = await openViewer(t)
  const { page, members, pass, shows } = viewer
  await members(null)
  await pass(...pageOf('of no recorder'))
  await page.evaluate('tell({ type: "alive" })')
  await eventually(states(viewer), '')
  await members(RECORDER)
  await eventually(states(viewer), 'loading')
  await pass(...pageOf('first'))
  await shows('first')
  await eventually(states(viewer), 'loading,showing')
  await eventually(async () => await viewer.told('picture'), [{ width: 800, height: 600 }])
  await members(null)
  await eventually(states(viewer), 'loading,showing,gone')
  await shows('first')
  await pass(...pageOf('after the end'))
  await members(RECORDER + 1)
  await pass(say('a change of another page'))
  await shows('first')
  await pass(...pageOf('second'))
  await shows('second')
  await eventually(states(viewer), 'loading,showing,gone,loading,showing')

  await page.evaluate('emit("open")')
  await pass(say('of another room'))
  await shows('second')
  await members(RECORDER)
  await pass(...pageOf('on another node'))
  await shows('on another node')
  await eventually(states(viewer), 'loading,showing,gone,loading,showing,loading,showing')
  await page.evaluate('emit("close")')
  await eventually(states(viewer), /,gone$/)
  await eventually(async () => (await viewer.told('members')).length, 5)
})

t.test('a replayer – of a connection that is open already – asks for the page, and shows it', { skip }, async (t) => {
  const viewer = await openViewer(t, { options: '(connection.state = "open", {})' })
  await eventually(viewer.sent, ['snapshot'])
  await viewer.pass(say('a change of an unknown page'), ...pageOf('late'))
  await viewer.shows('late')
  await eventually(states(viewer), 'showing')
  await viewer.members(RECORDER)
  await viewer.pass(say('members are told later'))
  await viewer.shows('members are told later')
  await eventually(states(viewer), 'showing')
  await viewer.members(RECORDER + 1)
  await eventually(states(viewer), 'showing,loading')
})

t.test('a replayer – closed by a call or a signal – leaves nothing behind', { skip }, async (t) => {
  for (const close of ['replayer.close()', 'controller.abort()', 'replayer.close(); replayer.close()']) {
    const viewer = await openViewer(t, { options: '{ signal: (window.controller = new AbortController()).signal }' })
    await viewer.members(RECORDER)
    await viewer.pass(...pageOf('x'))
    await viewer.shows('x')
    await viewer.page.evaluate(`{ ${close} }`)
    await eventually(async () => await viewer.page.evaluate('document.querySelector("#root").childNodes.length'), 0)
    await eventually(async () => await viewer.page.evaluate('[listening(), replayer.state]'), [0, 'closed'])
    await eventually(states(viewer), 'loading,showing,closed')
    t.strictSame(viewer.complaints, [], close)
  }
})

t.test('a large event – in parts – is drawn, and an unfinished one is dropped', { skip }, async (t) => {
  const { members, pass, shows, told, page } = await openViewer(t)
  const parts = (marker: string) => pageOf(marker, [element('p', {}, text('x'.repeat(5000)))]).flatMap(toParts)
  await members(RECORDER)
  await pass(...parts('in parts'))
  await shows('in parts')
  await pass(...parts('unfinished').slice(0, -1), say('a whole event'), '>}')
  await shows('a whole event')
  await pass(...parts('left').slice(0, -1))
  await members(RECORDER + 1)
  await pass(parts('left').at(-1) ?? '', ...pageOf('of another recorder'))
  await shows('of another recorder')
  await eventually(async () => await told('refused'), [])
  await page.evaluate(`{
    const part = '+' + 'x'.repeat(256 * 1024)
    pass('<')
    for (let count = 0; count < 200; count++) pass(part)
  }`)
  await eventually(async () => await told('refused'), ['it is too large'])
  await pass(say('after it'))
  await shows('after it')
})

t.test('notes of the recorder and kinds that are left out – are told as text, each kind once', { skip }, async (t) => {
  const { members, pass, told, shows } = await openViewer(t)
  await members(RECORDER)
  await pass('!{"code":"paused","text":"<b>Paused</b>"}', '!{', '!{"code":"X","text":"x"}', '!')
  const frames = () => [element('iframe', { src: 'x' }), element('canvas')]
  await pass(...pageOf('with frames', frames()), ...pageOf('again', frames()), addLater([element('video')]))
  await shows('again')
  await eventually(async () => await told('note'), [
    { code: 'paused', text: '<b>Paused</b>' },
    { code: 'left-out', text: 'Pages that are embedded in this page are not shown.' },
    { code: 'left-out', text: 'Drawings of this page are not shown.' },
    { code: 'left-out', text: 'Videos and sounds of this page are not played.' }
  ])
})

t.test('a flood of valid pages – sent at once – is drawn once a second, and the last one stays', { skip }, async (t) => {
  const { members, pass, shows, told } = await openViewer(t)
  await members(RECORDER)
  await pass(...pageOf('first'))
  await shows('first')
  for (let count = 0; count < 20; count++) await pass(...pageOf(`page ${count}`), say(`changed ${count}`))
  await shows('changed 19')
  const drawn = (await told('picture')).length
  t.ok(drawn <= 3, `${drawn} pages are drawn`)
  await pass(say('live again'))
  await shows('live again')
})

t.test('a page that is hidden – and draws no frames – follows the recorder', { skip }, async (t) => {
  const { page, members, pass, shows } = await openViewer(t)
  await page.evaluate(`{
    window.requestAnimationFrame = () => 1
    Object.defineProperty(document, 'hidden', { get: () => true })
  }`)
  await members(RECORDER)
  await pass(...pageOf('hidden'))
  await shows('hidden')
  await pass(say('changed'))
  await shows('changed')
})

// Errors of rrweb, injected where its own would be.
const THROWING = `{ Replayer: class extends Replayer {
  constructor (...args) {
    super(...args)
    const broken = () => { if (window.isBroken) throw new Error('of rrweb') }
    const { applyScroll, moveAndHover } = this
    this.applyScroll = (...args) => { broken(); applyScroll.apply(this, args) }
    this.moveAndHover = (...args) => { broken(); moveAndHover.apply(this, args) }
  }
} }`

t.test('an error that rrweb throws – in a change or in its clock – leads to a request, and a new picture', { skip }, async (t) => {
  const scroll = { type: 3, data: { source: 3, id: BODY, x: 0, y: 5 }, timestamp: 1 }
  const move = { type: 3, data: { source: 1, positions: [{ x: 1, y: 1, id: BODY, timeOffset: 0 }] }, timestamp: 1 }
  for (const event of [scroll, move]) {
    const { page, members, pass, shows, sent } = await openViewer(t, { options: THROWING })
    await members(RECORDER)
    await pass(...pageOf('before'))
    await shows('before')
    await page.evaluate('{ window.isBroken = true }')
    await pass(event)
    await elapse(100, 'time for a frame')
    await pass(say('behind the error'))
    await eventually(sent, ['snapshot'])
    await page.evaluate('{ window.isBroken = false }')
    await pass(...pageOf('after'), say('and its changes'))
    await shows('and its changes')
  }
})

t.test('the picture – larger than its place – is shrunk to it, also when either changes', { skip }, async (t) => {
  const { page, members, pass, shows } = await openViewer(t)
  const box = async () => await page.evaluate(`(() => {
    const { left, width, height } = document.querySelector('#root iframe').getBoundingClientRect()
    const root = document.querySelector('#root').getBoundingClientRect()
    return [Math.round(left - root.left), Math.round(width), Math.round(height)]
  })()`)
  await members(RECORDER)
  await pass({ type: 4, data: { width: 1600, height: 600 }, timestamp: 1 }, ...pageOf('x').slice(1))
  await shows('x')
  await eventually(box, [0, 800, 300])
  await pass({ type: 3, data: { source: 4, width: 800, height: 1200 }, timestamp: 1 })
  await eventually(box, [200, 400, 600])
  await page.evaluate('{ document.querySelector("#root").style.height = "300px" }')
  await eventually(box, [300, 200, 300])
  await pass({ type: 3, data: { source: 4, width: 100, height: 100 }, timestamp: 1 })
  await eventually(box, [350, 100, 100], 'a small picture is not enlarged')
  await page.evaluate('{ document.querySelector("#root").style.height = "auto" }')
  await pass({ type: 3, data: { source: 4, width: 1600, height: 1200 }, timestamp: 1 })
  await eventually(box, [0, 800, 600], 'a place without a height gets that of the picture')
  await eventually(async () => await page.evaluate('document.querySelector("#root").clientHeight'), 600)
})

t.test('a modal dialog that opens – while the viewer types – is shown, and leaves the focus', { skip }, async (t) => {
  const { page, members, pass, shows, inFrame } = await openViewer(t)
  const dialog = element('dialog', {}, element('button', {}, text('Pay')))
  await members(RECORDER)
  await pass(...pageOf('x', [dialog]))
  await shows('x')
  await page.focus('#typing')
  await page.keyboard.type('ab')
  await pass(mutation({ attributes: [{ id: dialog.id, attributes: { open: '', rr_open_mode: 'modal' } }] }))
  await eventually(async () => await inFrame('d.querySelector("dialog").matches(":modal")'), true)
  await page.keyboard.type('cd')
  await eventually(async () => await page.inputValue('#typing'), 'abcd')
})

t.test('fields – a list of several, and one that is reset – follow the recorder', { skip }, async (t) => {
  const { members, pass, shows, inFrame } = await openViewer(t)
  const options = ['a', 'b', 'c'].map((value) => element('option', { value, ...value === 'a' && { selected: true } }, text(value)))
  const list = element('select', { multiple: '' }, ...options)
  const field = element('input', { type: 'text', value: 'first' })
  await members(RECORDER)
  await pass(...pageOf('x', [list, field]))
  await shows('x')
  const chosen = async () => await inFrame('[...d.querySelector("select").selectedOptions].map((it) => it.value).join()')
  const input = (id: number, value: string, isChecked: boolean) =>
    ({ type: 3, data: { source: 5, id, text: value, isChecked }, timestamp: 1 })
  await eventually(chosen, 'a')
  await pass(...options.map(({ id }, place) => input(id, 'x', place > 0)), input(field.id, 'typed', false))
  await eventually(chosen, 'b,c')
  await eventually(async () => await inFrame('d.querySelector("input").value'), 'typed')
  await pass(...options.map(({ id }, place) => input(id, 'x', place === 0)), input(field.id, 'first', false))
  await eventually(chosen, 'a')
  await eventually(async () => await inFrame('d.querySelector("input").value'), 'first')
})

t.test('a link – clicked in spite of all – leads nowhere', { skip }, async (t) => {
  const { page, members, pass, shows, inFrame } = await openViewer(t)
  await members(RECORDER)
  await pass(...pageOf('x', [element('a', { href: '/elsewhere' }, text('link'))]))
  await shows('x')
  await eventually(async () => await inFrame('d.querySelector("a:link").getAttribute("href")'), 'blob:null/0')
  await inFrame('d.querySelector("a").click()')
  const click = 'd.querySelector("a").dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }))'
  await eventually(async () => await inFrame(click), false, 'the click to be prevented')
  await pass(say('still there'))
  await shows('still there')
  t.strictSame(page.frames().map((frame) => frame.url()).slice(1), ['about:blank'])
  await until(async () => await inFrame('w.frameElement.title') === 'The shared page')
})
