import { once } from 'node:events'
import t from 'tap'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { elapse } from '../support/elapse.js'
import { startDemo } from '../support/start-demo.js'
import { eventually, until } from '../support/until.js'
import { openAgentPage } from './agent-page.js'
import { attacksFor } from './attacks.js'
import { addLater, BODY, change, element, mutation, page, say, snapshotOf, text } from './hostile-page.js'
import { startCanary } from './hostile-recorder.js'
import type { Test } from 'tap'
import type { ReplayEvent } from './hostile-page.js'

const skip = withoutChromium
t.teardown(closeChromium)

const ALL = { guard: true, policy: true, sandbox: true }

async function openWatched (t: Test) {
  const demo = await startDemo(t)
  return { demo, ...await openAgentPage(t, demo, ALL) }
}

t.test('a customer’s client – sends any attack – runs no script, fetches nothing, and the page goes on', { skip }, async (t) => {
  const canary = await startCanary(t)
  const { play } = await openWatched(t)
  for (const attack of attacksFor(canary.url)) {
    const { ran, answers, address, frames, sandbox, marker } = await play(attack)
    t.equal(ran, false, `${attack.name}: no script runs`)
    t.equal(canary.connections(), 0, `${attack.name}: no server is called`)
    t.strictSame(answers, [], `${attack.name}: not even our own server`)
    t.match(address, '/demo/agent')
    t.strictSame([frames, sandbox], [['about:blank'], 'allow-same-origin'])
    t.equal(marker, `${attack.name} later`, `${attack.name}: harmless content is shown`)
  }
})

t.test('a page of a million nodes, or too deep – is rejected with a note, and the next one shown', { skip }, async (t) => {
  const { page: agent, recorder, shows } = await openWatched(t)
  recorder.send(...page('before'))
  await shows('before')
  const note = async () => await agent.textContent('#note') ?? ''

  const many = Array.from({ length: 501_000 }, (_value, at) => ({ type: 3, id: 1000 + at, textContent: '' }))
  recorder.send(...page('wide', [{ ...element('div'), childNodes: many }]))
  await until(async () => /more than 500000 parts/.test(await note()))
  let deep = text('')
  for (let depth = 0; depth < 1000; depth++) deep = element('div', {}, deep)
  recorder.send(...page('deep', [deep]))
  await until(async () => /more than 250 levels deep/.test(await note()))
  recorder.send(...page('after'))
  await shows('after')

  const million = Array.from({ length: 1_000_000 }, (_value, at) => ({ type: 3, id: at + 1 }))
  recorder.socket.send(JSON.stringify(snapshotOf({ type: 0, id: 1, childNodes: million })))
  const [code] = await once(recorder.socket, 'close')
  // The node sends 1009 and disconnects, which may cut off its own message behind so much data.
  t.ok([1006, 1009].includes(code), 'the relay node does not pass it on')
  await until(async () => /has left/.test(await note()))
})

t.test('changes of unknown nodes, and arbitrary dates – do not stop the picture', { skip }, async (t) => {
  const { recorder, shows } = await openWatched(t)
  recorder.send(...page('known', [element('p', {}, text('x'))]))
  await shows('known')
  const strange: ReplayEvent[] = [
    mutation({ removes: [{ id: 4711, parentId: 4712 }], texts: [{ id: 4711, value: 'x' }] }),
    mutation({ adds: [{ parentId: 4711, nextId: 4712, node: element('p') }], attributes: [{ id: 4711, attributes: {} }] }),
    mutation({ adds: [{ parentId: BODY, nextId: 4712, node: element('p') }, { parentId: BODY, nextId: null, node: null }] }),
    change(2, { type: 2, id: 4711, x: 1, y: 1 }), change(3, { id: 4711, x: 1e300, y: -5 }), change(5, { id: 4711, text: 'x' }),
    change(1, { positions: [] }), change(1, { positions: [{ x: 'x', timeOffset: -1e300 }] }), change(99, {}),
    change(4, { width: -1, height: 1e9 }), mutation({ adds: 'x', removes: 7, texts: null, attributes: {} })
  ]
  recorder.send(...strange)
  recorder.send(say('still there'))
  await shows('still there')
  t.pass('unknown nodes')
  for (const timestamp of [-1, 0, 1e300, -1e300, null, 'now', { $date: 1 }]) {
    const [meta, snapshot] = page(`at ${JSON.stringify(timestamp)}`)
    for (const event of [meta, snapshot]) if (event !== undefined) recorder.send({ ...event, timestamp })
    await shows(`at ${JSON.stringify(timestamp)}`)
    recorder.send({ ...say(`later than ${JSON.stringify(timestamp)}`), timestamp })
    await shows(`later than ${JSON.stringify(timestamp)}`)
  }
  for (const nonsense of ['', '{', 'null', '7', '[]', '{"type":2}', '{"type":4,"data":{"width":"x"}}']) recorder.socket.send(nonsense)
  recorder.send(addLater([element('p', {}, text('last'))]), say('last'))
  await shows('last')
  t.pass('dates and values that are no event')
})

t.test('a window of another origin – posts any message – is ignored, and cannot frame the pages', { skip }, async (t) => {
  const { base } = await startDemo(t)
  const foreign = await startDemo(t)
  const context = await openBrowser(t)
  const { page } = await openPage(context, foreign.base)
  for (const path of ['agent', 'customer']) {
    const opening = context.waitForEvent('page')
    await page.evaluate(`window.${path} = window.open('${base}/demo/${path}?room=r')`)
    const opened = await opening
    await opened.waitForLoadState()
    const before = await opened.content()
    await page.evaluate(`for (const message of [
      'snapshot', { type: 'rrweb', event: { type: 4, data: { width: 1, height: 1 } }, origin: location.origin },
      JSON.stringify({ type: 'members', you: 1, members: [{ id: 1, role: 'replayer', name: 'mallory' }] })
    ]) ${path}.postMessage(message, '*')`)
    await elapse(200, 'time for an accepted message to show')
    if (path === 'customer') await eventually(async () => await opened.content(), before)
    await eventually(async () => (await opened.content()).includes('mallory'), false)
    await eventually(async () => await opened.locator('#sharing').isVisible(), false)
  }
  const { headers } = await fetch(`${base}/demo/agent`)
  t.match(headers.get('content-security-policy'), /frame-ancestors 'none'/)
})
