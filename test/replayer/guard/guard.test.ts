import t from 'tap'
import { createGuard } from '../../../lib/replayer/guard/guard.js'
import { Refusal } from '../../../lib/replayer/guard/values.js'
import { attacksFor } from '../../demo/attacks.js'
import { addLater, BODY, change, element, mutation, page, setLater, snapshotOf, STYLE, svg, text } from '../../demo/hostile-page.js'
import fc from '../../support/fast-check.js'
import type { Guard, Reading } from '../../../lib/replayer/guard/guard.js'
import type { PageNode } from '../../demo/hostile-page.js'

/** What a guard reads, or the reason why it refuses. */
function readText (guard: Guard, text: string): Reading & { refusal?: string } {
  try {
    return guard.read(text)
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error.message }
    throw error
  }
}

const readBy = (guard: Guard) => (event: unknown) => readText(guard, JSON.stringify(event))

/** A guard that has let a page through. */
function guardOf (...nodes: PageNode[]): Guard {
  const guard = createGuard()
  for (const event of page('known', nodes)) readBy(guard)(event)
  return guard
}

/** Reads a node as a part of a page, and returns it as it would be rebuilt. */
function rebuilt (node: PageNode): PageNode | undefined {
  const [, snapshot] = page('x', [node]).map(readBy(createGuard()))
  return find(snapshot?.event?.data.node as PageNode, node.id)
}

function find (node: PageNode, id: number): PageNode | undefined {
  if (node.id === id) return node
  for (const child of node.childNodes ?? []) {
    const found = find(child, id)
    if (found !== undefined) return found
  }
  return undefined
}

/** Attributes of an element as they are read later. */
function changed (node: PageNode, attributes: Record<string, unknown>): unknown {
  const { event } = readBy(guardOf(node))(mutation({ attributes: [{ id: node.id, attributes }] }))
  return (event?.data.attributes as Array<{ attributes: unknown }>)[0]?.attributes
}

t.test('any JSON – is read without an error, and its result is read the same again', async (t) => {
  const events = [...page('x', [element('a', { href: 'x', class: 'y' }, text('z'))]), addLater([element('p')])]
  const mutated = fc.tuple(fc.constantFrom(...events), fc.json()).map(([event, json]) =>
    JSON.stringify(event).replace(/"(?:attributes|childNodes|node|adds)":/, `$&${json},"old":`))
  fc.assert(fc.property(fc.oneof(fc.json(), mutated, fc.string()), (json) => {
    const { event } = readText(guardOf(), json)
    if (event !== undefined) t.same(readBy(guardOf())(event).event, event)
  }), { numRuns: 500 })
  t.pass('no fault')
})

t.test('addresses and handlers of an attack – outside styles – are all removed', async (t) => {
  const url = 'http://canary.example/x'
  for (const { name, nodes = [], events = [], policyOnly } of attacksFor(url)) {
    const readings = [...page('an attack', nodes), addLater(nodes), ...setLater(nodes), ...events].map(readBy(guardOf()))
    t.ok(readings.some(({ event }) => event !== undefined), name)
    const left = JSON.stringify(readings)
    t.notMatch(left, /"on[a-z]+":|javascript:|<script|"tagName":"(?:script|iframe|link|base|meta|object|embed)"/i, name)
    const isInStyle = policyOnly === true || /rrweb itself|__proto__/.test(name)
    t.equal(!isInStyle && left.includes(url), false, name)
  }
})

t.test('harmless content – is kept unchanged, and limits are explained in the page', async (t) => {
  const kept = element('div', { class: 'card', style: 'color: red', id: 'x' }, element('input', { type: 'text' }))
  const [meta, snapshot] = page('kept', [kept]).map(readBy(createGuard()))
  t.match(meta?.event?.data, { href: 'about:blank', width: 800, height: 600 })
  t.match(JSON.stringify(snapshot), JSON.stringify(kept.attributes).slice(1, -1))
  const many = Array.from({ length: 500_001 }, (_value, at) => ({ type: 3, id: 1000 + at, textContent: '' }))
  t.match(page('wide', [{ ...element('div'), childNodes: many }]).map(readBy(createGuard()))[1], { refusal: 'it has more than 500000 parts' })
  const read = (text: string) => readText(createGuard(), text)
  t.match(read('x'.repeat(33 * 1024 * 1024)), { refusal: 'it is too large' })
  t.match(read('['.repeat(1_000_000)), { refusal: 'it is more than 250 levels deep' })
  const quoted = element('input', { value: `url(http://x.example) ${'[{"'.repeat(1000)}` })
  const readings = page('quoted', [quoted]).map(readBy(createGuard()))
  t.match(readings[1]?.event?.type, 2, 'brackets in a text do not nest')
  t.ok(JSON.stringify(readings).includes('url(http://x.example)'), 'typed text is no address')
  t.match(read('{'), { refusal: 'it is not JSON' })
  t.strictSame(read('{"type":2,"data":{"node":{"type":2,"id":1}}}'), {}, 'a page without its size')
  t.match(readBy(guardOf())(page('x')[0]), { event: { type: 4 } })
  const guard = createGuard()
  readBy(guard)(page('x')[0])
  t.match(readBy(guard)(snapshotOf({ type: 2, id: 1 })), { refusal: 'it is not a document' })
  t.strictSame(read('{"type":6,"data":{}}'), {}, 'of a kind that is not shown')
})

t.test('a custom element – with a shadow root, styles and hooks – is rebuilt with all of them', async (t) => {
  const node = {
    ...element('my-card', { variant: 'primary', _ngcontent: '', 'ng-version': '17', onclick: 'x()', src: 'http://x', is: 'y' },
      { ...element('slot', { name: 'top' }), isShadow: true }, element('p', { slot: 'top', '_ngcontent-ng-c12': '' })),
    isShadowHost: true,
    isCustom: true
  }
  t.match(rebuilt(node), {
    tagName: 'my-card', isShadowHost: true, isCustom: true, childNodes: [{ attributes: { name: 'top' } }, { attributes: { slot: 'top' } }]
  })
  t.strictSame(rebuilt(node)?.attributes, { variant: 'primary', _ngcontent: '', 'ng-version': '17' })
  t.strictSame(changed(node, { elevated: '', onfocus: 'x()' }), { elevated: '' })
  t.strictSame(changed(element('p'), { elevated: '', 'data-state': 'open' }), { 'data-state': 'open' })
  for (const name of ['font-face', 'annotation-xml', '-x', 'my card', 'my-ö']) {
    t.not(rebuilt({ ...element(name), isCustom: true })?.isCustom, true, name)
  }
})

t.test('a link – to anywhere – matches selectors for links, and leads nowhere', async (t) => {
  for (const href of ['/x', 'http://x.example', 'javascript:x()', '#part', '']) {
    t.strictSame(rebuilt(element('a', { href, ping: 'x' }))?.attributes, { href: 'blob:null/0' }, href)
    t.strictSame(changed(element('a'), { href }), { href: 'blob:null/0' }, href)
    t.strictSame(rebuilt(svg('a', { href }))?.attributes, { href: 'blob:null/0' }, href)
  }
  t.strictSame(changed(element('a'), { href: null }), { href: null }, 'a link no more')
  t.strictSame(rebuilt(element('p', { href: '#x' }))?.attributes, {})
})

t.test('an SVG reference – within the page – is kept, and no other one', async (t) => {
  t.strictSame(rebuilt(svg('use', { href: '#icon' }))?.attributes, { href: '#icon' })
  t.strictSame(rebuilt(svg('use', { 'xlink:href': '#icon' }))?.attributes, { href: '#icon' })
  t.strictSame(changed(svg('use'), { href: '#other' }), { href: '#other' })
  for (const href of ['/sprite.svg#icon', 'http://x/#icon', ' #icon', 'data:image/svg+xml,x#y']) {
    t.strictSame(rebuilt(svg('use', { href }))?.attributes, {}, href)
  }
  t.strictSame(rebuilt(svg('rect', { fill: 'url(#g)', filter: 'url("#f")' }))?.attributes, { fill: 'url(#g)', filter: 'url("#f")' })
  for (const fill of ['url(x)', 'ur\\6c(http://x)', 'image-set("x" 1x)', 'src("x")']) {
    t.strictSame(rebuilt(svg('rect', { fill }))?.attributes, {}, fill)
  }
})

t.test('an id – used for another element later – does not get attributes of the first one', async (t) => {
  const link = element('a', { href: 'x' })
  const guard = guardOf(link)
  const { event } = readBy(guard)(mutation({
    adds: [{ parentId: 4711, nextId: null, node: { ...svg('use'), id: link.id } }],
    attributes: [{ id: link.id, attributes: { href: '#x' } }]
  }))
  t.match(event?.data, { adds: [], attributes: [{ id: link.id, attributes: { href: 'blob:null/0' } }] })
  const [meta, snapshot] = page('y')
  t.strictSame(readBy(guard)(snapshot), {}, 'a page without its size is not drawn')
  t.match(readBy(guard)(mutation({ attributes: [{ id: link.id, attributes: { href: '#x' } }] })).event?.data,
    { attributes: [{ attributes: { href: 'blob:null/0' } }] }, 'and does not change what is known')
  readBy(guard)(meta)
  readBy(guard)(snapshot)
  t.match(readBy(guard)(mutation({ attributes: [{ id: link.id, attributes: { href: '#x' } }] })).event?.data,
    { attributes: [{ attributes: {} }] }, 'unknown in the next page')
})

t.test('elements whose content is not shown – keep their room, and are told', async (t) => {
  const size = { width: '600', height: '200', class: 'wide' }
  for (const tag of ['iframe', 'object', 'embed']) {
    const node = rebuilt(element(tag, { ...size, src: 'http://x', data: 'x' }, element('p')))
    t.match(node, { tagName: 'img', attributes: { ...size, src: /^data:image\/svg/ }, childNodes: [] }, tag)
  }
  t.match(rebuilt(element('iframe', {}))?.attributes, { 'data-cobrowse-frame': '' })
  t.strictSame(Object.keys(rebuilt(element('iframe', { frameborder: '0' }))?.attributes ?? {}), ['src'])
  const canvas = rebuilt(element('canvas', { ...size, height: '1"/>' }))
  t.equal(canvas?.tagName, 'img')
  const src = decodeURIComponent(String(canvas?.attributes?.src))
  t.match(src, /^data:image\/svg\+xml,<svg [^>]* width="600" height="150">/)
  for (const tag of ['video', 'audio']) {
    t.match(rebuilt(element(tag, { ...size, src: 'x', poster: 'x' })), { tagName: tag, attributes: size }, tag)
  }
  t.match(rebuilt(element('img', { ...size, src: 'http://x/a.png' }))?.attributes, { ...size, src: /^data:image\/svg/ })
  t.match(rebuilt(element('img', { srcset: 'a.png 2x' }))?.attributes, { src: /^data:image\/svg/ })
  const data = 'data:image/png;base64,AAAA'
  t.strictSame(rebuilt(element('img', { src: data, srcset: 'a.png 2x' }))?.attributes, { src: data })
  t.strictSame(rebuilt(element('img', { src: 'x', rr_dataURL: data }))?.attributes, { src: data })
  t.match(changed(element('img', { src: data }), { src: 'http://x/b.png' }), { src: /^data:image\/svg/ }, 'the old image is not kept')
  t.strictSame(rebuilt(element('video', { rr_width: '10px', rr_height: 'calc(1px)' }))?.attributes, { rr_width: '10px' })

  const guard = createGuard()
  const readings = page('x', [element('iframe'), element('canvas'), element('video'), element('img', { src: 'x' })]).map(readBy(guard))
  t.strictSame(readings[1]?.leftOut, ['frames', 'canvas', 'media', 'images'])
})

t.test('files of styles, and sheets that the recorder may not read – at first and later – are left out, and told', async (t) => {
  const leftOutOf = (tag: string, attributes: Record<string, string>) => page('x', [element(tag, attributes)]).map(readBy(createGuard()))[1]?.leftOut
  for (const css of ['url("http://x/a.woff2")', 'url(a.png)', "URL('/a.png')", 'url(//x/a)']) {
    t.strictSame(leftOutOf('style', { _cssText: `p { src: ${css} }` }), ['files'], css)
    t.strictSame(leftOutOf('p', { style: `background: ${css}` }), ['files'], css)
  }
  for (const css of ['url("data:font/woff2;base64,AA")', 'url(#clip)', 'url("#clip")', 'url()', 'curl', 'red']) {
    t.strictSame(leftOutOf('style', { _cssText: `p { src: ${css} }` }), [], css)
  }
  t.strictSame(leftOutOf('link', { 'data-cobrowse-unreadable': '' }), ['styles'])
  const link = element('link')
  const late = mutation({ attributes: [{ id: link.id, attributes: { 'data-cobrowse-unreadable': '' } }] })
  t.strictSame(readBy(guardOf(link))(late).leftOut, ['styles'])
})

t.test('an unknown element – of HTML – shows its content, and one that never shows any stays empty', async (t) => {
  t.match(rebuilt(element('blink', {}, text('x'))), { tagName: 'span', childNodes: [{ textContent: 'x' }] })
  for (const tag of ['script', 'noscript', 'template', 'portal', 'o:p', 'x y', '']) {
    t.strictSame(rebuilt(element(tag, { class: 'x' }, text('x')))?.attributes, { hidden: '' }, tag)
    t.strictSame(rebuilt(element(tag, { class: 'x' }, text('x')))?.childNodes, [], tag)
  }
  t.match(rebuilt(svg('image', { href: 'x' })), { tagName: 'span', attributes: { hidden: '' } })
})

t.test('dialogs, popovers and forms – keep the attributes that place them', async (t) => {
  t.strictSame(rebuilt(element('dialog', { open: '', rr_open_mode: 'modal' }))?.attributes, { open: '', rr_open_mode: 'modal' })
  t.strictSame(changed(element('dialog'), { open: '', rr_open_mode: 'non-modal' }), { open: '', rr_open_mode: 'non-modal' })
  t.strictSame(rebuilt(element('div', { rr_open_mode: 'modal' }))?.attributes, {})
  t.strictSame(rebuilt(element('dialog', { rr_open_mode: 'x' }))?.attributes, {})
  t.strictSame(rebuilt(element('div', { popover: '', popovertarget: 'x' }))?.attributes, { popover: '' })
  t.strictSame(rebuilt(element('select', { multiple: '' }, element('option', { selected: true })))?.attributes, { multiple: '' })
  t.strictSame(rebuilt(element('form', { name: 'open' }))?.attributes, {})
})

t.test('style sheets – late, for print, adopted or changed by a script – are read field by field', async (t) => {
  t.match(rebuilt(element('link', { rel: 'stylesheet', href: 'x', media: 'print' })), { tagName: 'style', attributes: { media: 'print' } })
  t.strictSame(changed(element('link', { rel: 'stylesheet' }), { _cssText: 'p {}', href: 'x' }), { _cssText: 'p {}' })
  t.strictSame(changed(element('p'), { _cssText: 'p {}' }), {})
  const read = (source: number, data: Record<string, unknown>) => readBy(guardOf())(change(source, data)).event?.data
  const rule = { rule: 'p { color: red }', index: [0, 1] }
  t.strictSame(read(15, { id: BODY, styleIds: [1, 'x'], styles: [{ styleId: 1, rules: [{ ...rule, x: 1 }], x: 1 }, { styleId: 'x' }] }),
    { source: 15, id: BODY, styleIds: [1], styles: [{ styleId: 1, rules: [rule] }] })
  t.strictSame(read(13, { id: STYLE, index: [0], set: { property: 'color', value: 'red', priority: 'important', x: 1 }, x: 1 }),
    { source: 13, id: STYLE, index: [0], set: { property: 'color', value: 'red', priority: 'important' } })
  t.strictSame(read(13, { styleId: 1, index: [0, 2], remove: { property: 'color' } }),
    { source: 13, styleId: 1, index: [0, 2], remove: { property: 'color' } })
  for (const index of [[], 'x', [0.5], Array(21).fill(0), undefined]) t.equal(read(13, { id: STYLE, index, set: {} }), undefined)
  t.equal(read(13, { index: [0], set: {} }), undefined)
  t.strictSame(read(8, { styleId: 1, replaceSync: 'p {}', replace: 7 }), { source: 8, styleId: 1, adds: [], removes: [], replaceSync: 'p {}' })
  t.equal(read(8, { adds: [rule] }), undefined)
})

t.test('an old page – laid out by old rules – keeps them', async (t) => {
  const guard = createGuard()
  const html = element('html', {}, element('body'))
  readBy(guard)(page('x')[0])
  const { event } = readBy(guard)(snapshotOf({ type: 0, id: 1, compatMode: 'BackCompat', childNodes: [html] }))
  t.match(event?.data, { node: { compatMode: 'BackCompat' } })
})
