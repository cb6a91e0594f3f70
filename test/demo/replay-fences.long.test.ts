import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { startDemo } from '../support/start-demo.js'
import { openStage } from './agent-stage.js'
import { startCanary } from './hostile-recorder.js'
import { rowsFor } from './hostile-rows.js'
import type { Test } from 'tap'
import type { Fences } from './agent-stage.js'
import type { Canary } from './hostile-recorder.js'
import type { Row } from './hostile-rows.js'

const skip = withoutChromium
t.teardown(closeChromium)

type Done = Map<Row, { ran: boolean, called: boolean }>

/** What each row does where only these fences are up. A page that was led away is opened anew. */
async function playAll (t: Test, fences: Fences, canary: Canary, rows: Row[]): Promise<Done> {
  const demo = await startDemo(t)
  const done: Done = new Map()
  let stage = await openStage(t, demo, fences)
  for (const row of rows) {
    const before = canary.connections()
    const outcome = await stage.play(row).catch(() => undefined)
    const hasLeft = outcome?.address.includes('/demo/agent') !== true
    // Who was led away has made a request, or run a script.
    done.set(row, { ran: outcome?.ran === true, called: hasLeft || canary.connections() > before })
    if (hasLeft || outcome.ran) stage = await openStage(t, demo, fences)
  }
  return done
}

const namesOf = (done: Done, what: 'ran' | 'called') =>
  [...done].filter(([, outcome]) => outcome[what]).map(([{ name }]) => name)

t.test('without the guard, the sandbox and the policy hold all but connections without a request', { skip, timeout: 240_000 }, async (t) => {
  const canary = await startCanary(t)
  const done = await playAll(t, { guard: false, policy: true, sandbox: true }, canary, rowsFor(canary.url))
  t.strictSame(namesOf(done, 'ran'), [])
  // Chromium opens a connection for these before it looks at the policy, and makes no request on it.
  t.strictSame(namesOf(done, 'called').filter((name) => !/preconnect|<iframe src>/.test(name)), [])
})

t.test('without the policy, the guard holds all but what is in styles', { skip, timeout: 240_000 }, async (t) => {
  const canary = await startCanary(t)
  const rows = rowsFor(canary.url).filter(({ policyOnly }) => policyOnly !== true)
  const done = await playAll(t, { guard: true, policy: false, sandbox: true }, canary, rows)
  t.strictSame(namesOf(done, 'ran'), [])
  t.strictSame(namesOf(done, 'called'), [])
})

t.test('without any fence the rows do what they are meant to do', { skip, timeout: 240_000 }, async (t) => {
  const canary = await startCanary(t)
  const rows = rowsFor(canary.url).filter(({ does, name }) => does !== undefined && /^(308|310|315|316 url)/.test(name))
  const done = await playAll(t, { guard: false, policy: false, sandbox: false }, canary, rows)
  const harmless = [...done].filter(([, { ran, called }]) => !ran && !called).map(([{ name }]) => name)
  t.strictSame(harmless, [], 'or the tests above would show nothing')
  t.ok(namesOf(done, 'ran').length > 0)
})
