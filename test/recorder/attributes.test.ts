import t from 'tap'
import { cleanAttributes } from '../../lib/recorder/attributes.js'
import type { Attributes } from '../../lib/recorder/attributes.js'

const page = 'https://site.example/'
const clean = (attributes: Attributes, tagName = 'div', isMasked = false, isSvg = false) =>
  cleanAttributes(attributes, { tagName, isSvg, isMasked, page })

t.test('attributes – of looks and words – pass unchanged', async (t) => {
  const attributes = {
    class: 'a',
    id: 'b',
    style: 'color: red',
    title: 'c',
    'aria-label': '{d}',
    'data-state': 'open',
    hidden: true,
    tabindex: '0',
    rr_width: '7px',
    rr_scrollLeft: 7,
    slot: 's',
    part: 'p'
  }
  t.strictSame(clean(attributes), attributes)
})

t.test('attributes – for programs – stay, whatever their name is written like', async (t) => {
  const names = ['onclick', 'OnLoad', '@click', ':class', 'v-on:click', 'hx-headers', 'x-data', 'ng-init', 'wire:snapshot', 'nonce', 'srcdoc',
    'integrity', 'ping', 'data-csrf', 'data-api-key', 'data-auth-token', 'data-session']
  t.strictSame(clean(Object.fromEntries(names.map((name) => [name, 'x']))), {})
  t.strictSame(clean({ 'data-props': ' {"a":1}', 'data-list': '[1]', 'data-long': 'x'.repeat(101), 'my-attr': '{}' }), {})
  t.strictSame(clean({ content: 'x', name: 'y', charset: 'utf-8' }, 'meta'), {})
})

t.test('links of an SVG – to its own parts – keep their fragment, and others lose it', async (t) => {
  t.strictSame(clean({ href: `${page}#a` }, 'use', false, true), { href: '#a' })
  t.strictSame(clean({ 'xlink:href': '#a' }, 'use', false, true), { 'xlink:href': '#a' })
  t.strictSame(clean({ href: `${page}#a` }, 'a', false, true), { href: page })
  t.strictSame(clean({ href: '#a' }, 'a'), { href: '' })
})

t.test('single properties of a style – text, with a priority, or removed – are cleaned one by one', async (t) => {
  const style = { background: 'url(a?b)', color: ['url(c?d)', 'important'], width: false }
  t.strictSame(clean({ style }), { style: { background: 'url("a")', color: ['url("c")', 'important'], width: false } })
})

t.test('a masked element – its words, states and values – keeps its looks alone', async (t) => {
  t.strictSame(
    clean({ title: 'ab c', class: 'd', 'data-state': 'open', 'data-name': 'Li Na', value: 'secret', checked: true }, 'input', true),
    { title: '•• •', class: 'd', 'data-state': 'open', 'data-name': '', value: '••••••••' }
  )
  t.strictSame(clean({ href: '/customers/li-na' }, 'a', true), { href: '' })
  t.strictSame(clean({ style: 'background: url(a)' }, 'p', true), { style: 'background: url("")' })
  t.strictSame(clean({ value: '' }, 'input', true), { value: '' })
  t.strictSame(clean({ value: 'Send' }, 'button', true), { value: '••••' })
  t.strictSame(clean({ 'stroke-width': '2' }, 'path', true, true), { 'stroke-width': '2' })
})
