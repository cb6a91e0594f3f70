import { BODY, change, element, mutation, STYLE, svg, text } from './hostile-page.js'
import type { PageNode, ReplayEvent } from './hostile-page.js'

const SCRIPT = 'top.pwned = window.pwned = 1'
const PIXEL = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='

export interface Attack {
  name: string
  nodes?: PageNode[]
  /** Events sent after the page is shown. */
  events?: ReplayEvent[]
  /** Effect without any fence; omitted if rrweb itself makes the attack harmless. */
  does?: 'fetch' | 'run'
  /** Blocked by the guard only. */
  guardOnly?: boolean
  /** Blocked by the policy only, since the guard does not read styles. */
  policyOnly?: boolean
}

const css = (rule: string) => element('style', {}, text(rule))
const styled = (style: unknown) => element('div', { style }, text('x'))
const link = (rel: string, url: string, more = {}) => element('link', { rel, href: url, ...more })

/** Lists elements and events that an attacker's client may put into a page. */
export const attacksFor = (url: string): Attack[] => [
  { name: '<img onerror>', nodes: [element('img', { src: 'data:image/png,x', onerror: SCRIPT })], does: 'run' },
  { name: '<img src> elsewhere', nodes: [element('img', { src: url, onerror: SCRIPT })], does: 'fetch' },
  { name: '<svg onload>', nodes: [svg('svg', { onload: SCRIPT, onbegin: SCRIPT })] },
  { name: '<animate onbegin>', nodes: [svg('svg', {}, svg('animate', { onbegin: SCRIPT, attributeName: 'x', dur: '1s' }))], does: 'run' },
  { name: '<iframe srcdoc>', nodes: [element('iframe', { srcdoc: `<script>${SCRIPT}</script><img src="${url}">` })], does: 'run' },
  { name: '<iframe src>', nodes: [element('iframe', { src: url })], does: 'fetch' },
  { name: '<iframe src=javascript:>', nodes: [element('iframe', { src: `javascript:${SCRIPT}` })], does: 'run' },
  { name: 'javascript: link', nodes: [element('a', { href: `javascript:void(${SCRIPT})` }, text('link'))], does: 'run' },
  { name: 'javascript: link in SVG', nodes: [svg('svg', {}, svg('a', { 'xlink:href': `javascript:void(${SCRIPT})` }, svg('text', { y: 20 }, text('link'))))], does: 'run' },
  { name: 'link elsewhere', nodes: [element('a', { href: url, ping: url, target: '_top' }, text('link')), element('a', { href: url, target: '_blank' }, text('link')), element('a', { href: url }, text('link'))], does: 'fetch' },
  { name: '<base href>', nodes: [element('base', { href: url }), element('img', { src: 'relative.png' })], does: 'fetch' },
  { name: '<meta http-equiv=refresh>', nodes: [element('meta', { 'http-equiv': 'refresh', content: `0;url=${url}` })], does: 'fetch' },
  ...['import', 'preload', 'prefetch', 'modulepreload', 'stylesheet', 'icon', 'manifest', 'prerender'].map((rel): Attack => ({
    name: `<link rel=${rel}>`, nodes: [link(rel, url, { as: 'image' })], ...['preload', 'prefetch', 'stylesheet'].includes(rel) && { does: 'fetch' }
  })),
  { name: '<link rel=preconnect>', nodes: [link('preconnect', url)], does: 'fetch', guardOnly: true },
  { name: '<link rel=dns-prefetch>', nodes: [link('dns-prefetch', url)] },
  ...stylesFor(url),
  { name: '<form action>', nodes: [element('form', { action: url, method: 'post' }, element('input', { type: 'submit', formaction: url, autofocus: true, onfocus: SCRIPT }), element('button', { type: 'submit' }, text('send')))], does: 'fetch' },
  { name: '<script>', nodes: [element('script', {}, text(SCRIPT)), element('script', { src: url }), element('SCRIPT', {}, text(SCRIPT)), element('noscript', {}, element('img', { src: url }))], does: 'fetch' },
  { name: '<script> in SVG', nodes: [svg('svg', {}, svg('script', {}, text(SCRIPT)), svg('SCRIPT', { href: url }), svg('sCript', {}, text(SCRIPT)))] },
  { name: '<object>, <embed>, <applet>', nodes: [element('object', { data: url }), element('embed', { src: url }), element('applet', { code: url })], does: 'fetch' },
  { name: '<video>, <audio>', nodes: [element('video', { src: url, poster: url, autoplay: true, rr_mediaState: 'played' }), element('audio', { src: url }), element('video', {}, element('source', { src: url }), element('track', { src: url }))], does: 'fetch' },
  { name: '<picture>, srcset', nodes: [element('picture', {}, element('source', { srcset: url }), element('img', { srcset: `${url} 2x`, lowsrc: url, dynsrc: url }))], does: 'fetch' },
  { name: '<input type=image>', nodes: [element('input', { type: 'image', src: url })], does: 'fetch' },
  { name: 'background attribute', nodes: [element('table', { background: url }, element('tr', {}, element('td', { background: url }, text('x'))))], does: 'fetch' },
  { name: 'SVG references', nodes: [svg('svg', { width: 50, height: 50 }, svg('use', { href: `${url}#x`, 'xlink:href': `${url}#x` }), svg('image', { href: url, 'xlink:href': url, width: 9, height: 9 }), svg('rect', { width: 9, height: 9, fill: `url(${url}#x)`, mask: `url(${url}#x)`, filter: `url(${url}#x)`, 'clip-path': `url(${url}#x)` }), svg('filter', {}, svg('feImage', { href: url })), svg('foreignObject', {}, element('img', { src: url })))], does: 'fetch', },
  { name: 'SVG that sets a link', nodes: [svg('svg', {}, svg('a', {}, svg('set', { attributeName: 'href', to: `javascript:void(${SCRIPT})` }), svg('text', { y: 20 }, text('x'))))] },
  { name: 'names of rrweb itself', nodes: [element('img', { rr_dataURL: url }), element('canvas', { rr_dataURL: url }), element('iframe', { rr_src: url, src: url }), element('div', { rr_width: `1px;background:url(${url})`, rr_height: 'calc(1px)', 'csp-content': url })], does: 'fetch' },
  { name: '<template> and custom elements', nodes: [element('template', {}, element('img', { src: url })), { ...element('x-y', { src: url }), isCustom: true }, element('div', { is: 'x-y' }, element('portal', { src: url }), element('fencedframe', { src: url }))] },
  { name: 'shadow roots', nodes: [{ ...element('div', {}, { ...element('img', { src: url, onerror: SCRIPT }), isShadow: true }, { ...element('style', {}, text('p {}')), isShadow: true }), isShadowHost: true }, { ...element('img'), isShadowHost: true }], does: 'fetch' },
  { name: '__proto__ keys', nodes: [JSON.parse(`{"type":2,"id":90,"tagName":"div","attributes":{"__proto__":{"onclick":"${SCRIPT}","src":"${url}"},"constructor":{"prototype":1},"style":{"__proto__":"url(${url})"}},"childNodes":[],"__proto__":{"tagName":"script"}}`)] },
  { name: 'names of the document', nodes: [element('form', { name: 'createElement' }, element('input', { name: 'childNodes' }), element('input', { id: 'parentNode' })), element('img', { name: 'documentElement', id: 'open', src: PIXEL }), element('form', { name: 'head' })] },
  { name: 'handlers', nodes: [element('body', { onload: SCRIPT, onpageshow: SCRIPT }), element('details', { open: true, ontoggle: SCRIPT }), element('div', { onclick: SCRIPT, onwheel: SCRIPT, onanimationstart: SCRIPT, style: 'animation: a 1s' }), element('button', { onclick: SCRIPT, onmousedown: SCRIPT, popovertarget: 'x' }, text('x'))], does: 'run' },
  { name: 'a font', events: [change(10, { family: 'x', fontSource: `url(${url})`, buffer: false })] },
  { name: 'media and canvas', events: [change(7, { id: 7, type: 0 }), change(9, { id: 7, type: 0, property: 'drawImage', args: [{ rr_type: 'Image', src: url }] })] },
  { name: 'a document inside of the document', events: [mutation({ adds: [{ parentId: BODY, nextId: null, node: { type: 0, id: 95, childNodes: [] } }, { parentId: 4711, nextId: null, node: { type: 0, id: 96, childNodes: [] } }] })] }
]

function stylesFor (url: string): Attack[] {
  const fetching = { does: 'fetch', policyOnly: true } as const
  return [
    { name: '@import', nodes: [css(`@import "${url}";`), css(`@\\69mport url(${url});`)], ...fetching },
    { name: '@import in _cssText', nodes: [element('style', { _cssText: `@import url("${url}");` }), element('link', { _cssText: `@import url("${url}");` })], ...fetching },
    { name: 'url() in a style element', nodes: [css(`body { background: url(${url}) }`)], ...fetching },
    { name: 'url() in _cssText', nodes: [element('style', { _cssText: `body { background: url(${url}) }` })], ...fetching },
    { name: 'url() with escapes', nodes: [css(`body { background: \\75rl(${url}); list-style: \\55\\52\\4c("${url}") }`)], ...fetching },
    { name: 'url() in a style attribute', nodes: [styled(`background: url(${url})`)], ...fetching },
    { name: 'url() by variable and image-set', nodes: [css(`:root { --x: url(${url}) } body { background: var(--x); border-image: image-set("${url}" 1x) } p { content: -webkit-image-set(url(${url}) 1x) }`)], ...fetching },
    { name: '@font-face, cursor, lists', nodes: [css(`@font-face { font-family: f; src: url(${url}) } p { font-family: f } body { cursor: url(${url}), auto } li { list-style-image: url(${url}); shape-outside: url(${url}) }`), element('ul', {}, element('li', {}, text('x')))], ...fetching },
    { name: 'filter, mask, clip-path', nodes: [styled(`filter: url(${url}#x); mask: url(${url}#x); clip-path: url(${url}#x); offset-path: url(${url}#x)`)], ...fetching },
    { name: 'style by string', events: [mutation({ attributes: [{ id: BODY, attributes: { style: `background: url(${url})` } }] })], ...fetching },
    { name: 'style by properties', events: [mutation({ attributes: [{ id: BODY, attributes: { style: { background: `url(${url})`, 'border-image': [`url(${url})`, 'important'] } } }] })], ...fetching },
    { name: 'text of a style element', events: [mutation({ adds: [{ parentId: STYLE, nextId: null, node: text(`body { background: url(${url}) }`) }] })], ...fetching },
    { name: '_cssText later', events: [mutation({ attributes: [{ id: STYLE, attributes: { _cssText: `body { background: url(${url}) }` } }] })], ...fetching },
    { name: 'a rule of a style sheet', events: [change(8, { id: STYLE, adds: [{ rule: `body { background: url(${url}) }`, index: 0 }] })], ...fetching },
    { name: 'a declaration of a rule', events: [change(13, { id: STYLE, index: [0], set: { property: 'background', value: `url(${url})` } })], ...fetching },
    { name: 'an adopted style sheet', events: [change(15, { id: 1, styleIds: [1], styles: [{ styleId: 1, rules: [{ rule: `body { background: url(${url}) }`, index: 0 }] }] })], ...fetching }
  ]
}
