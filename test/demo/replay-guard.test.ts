import t from 'tap'
import fc from '../support/fast-check.js'
import { attacksFor } from './attacks.js'
import { addLater, element, page, setLater, text } from './hostile-page.js'
import type { ReplayEvent } from './hostile-page.js'

interface Reading { event?: ReplayEvent, refusal?: string }

// The pages' modules have no types.
const GUARD = '../../demo/pages/replay-guard.js'
const { readEvent } = await import(GUARD) as { readEvent (text: string): Reading }
const read = (event: unknown) => readEvent(JSON.stringify(event))

t.test('any JSON – is read without an error, and its result is read the same again', async (t) => {
  const events = [...page('x', [element('a', { href: 'x', class: 'y' }, text('z'))]), addLater([element('p')])]
  const mutated = fc.tuple(fc.constantFrom(...events), fc.json()).map(([event, json]) =>
    JSON.stringify(event).replace(/"(?:attributes|childNodes|node|adds)":/, `$&${json},"old":`))
  fc.assert(fc.property(fc.oneof(fc.json(), mutated, fc.string()), (json) => {
    const { event } = readEvent(json)
    if (event !== undefined) t.same(read(event).event, event)
  }), { numRuns: 500 })
  t.pass('no fault')
})

t.test('addresses and handlers of an attack – outside styles – are all removed', async (t) => {
  const url = 'http://canary.example/x'
  for (const { name, nodes = [], events = [], policyOnly } of attacksFor(url)) {
    const readings = [...page('an attack', nodes), addLater(nodes), ...setLater(nodes), ...events].map(read)
    t.ok(readings.some(({ event }) => event !== undefined), name)
    const left = JSON.stringify(readings)
    t.notMatch(left, /"on[a-z]+":|javascript:|<script|"tagName":"(?:script|iframe|link|base|meta|object|embed)"/i, name)
    const isInStyle = policyOnly === true || /rrweb itself|__proto__|adopted|declaration/.test(name)
    t.equal(!isInStyle && left.includes(url), false, name)
  }
})

t.test('harmless content – is kept unchanged, and limits are explained in the page', async (t) => {
  const kept = element('div', { class: 'card', style: 'color: red', id: 'x' }, element('input', { type: 'text' }))
  const [meta, snapshot] = page('kept', [kept]).map(read)
  t.match(meta?.event?.data, { href: 'about:blank', width: 800, height: 600 })
  t.match(JSON.stringify(snapshot), JSON.stringify(kept.attributes).slice(1, -1))
  const many = Array.from({ length: 50_001 }, (_value, at) => ({ type: 3, id: 1000 + at, textContent: '' }))
  t.match(page('wide', many).map(read)[1], { refusal: 'it has more than 50000 parts' })
  t.match(readEvent('x'.repeat(5 * 1024 * 1024)), { refusal: 'it is too large' })
  t.match(readEvent('['.repeat(1_000_000)), { refusal: 'it is more than 250 levels deep' })
  const quoted = element('input', { value: `url(http://x.example) ${'[{"'.repeat(1000)}` })
  t.match(page('quoted', [quoted]).map(read)[1]?.event?.type, 2, 'brackets in a text do not nest')
  t.ok(JSON.stringify(page('quoted', [quoted]).map(read)).includes('url(http://x.example)'), 'typed text is no address')
  t.match(readEvent('{'), { refusal: 'it is not JSON' })
  t.match(read({ type: 2, data: { node: { type: 2, id: 1 } } }), { refusal: 'it is not a document' })
  t.strictSame(read({ type: 6, data: {} }), {}, 'of a kind that is not shown')
})
