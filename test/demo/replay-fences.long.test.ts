import t from 'tap'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { startDemo } from '../support/start-demo.js'
import { openAgentPage } from './agent-page.js'
import { attacksFor } from './attacks.js'
import { startCanary } from './hostile-recorder.js'
import type { Test } from 'tap'
import type { Fences } from './agent-page.js'
import type { Attack } from './attacks.js'
import type { Canary } from './hostile-recorder.js'

const skip = withoutChromium
t.teardown(closeChromium)

type Done = Map<Attack, { ran: boolean, called: boolean }>

/**
 * Plays each attack with only these fences up, and collects the effects. A page that navigated away is opened again.
 */
async function playAll (t: Test, fences: Fences, canary: Canary, attacks: Attack[]): Promise<Done> {
  const demo = await startDemo(t)
  const done: Done = new Map()
  let agent = await openAgentPage(t, demo, fences)
  for (const attack of attacks) {
    const before = canary.connections()
    const outcome = await agent.play(attack).catch(() => undefined)
    const hasLeft = outcome?.address.includes('/demo/agent') !== true
    // A page that navigated away has made a request or run a script.
    done.set(attack, { ran: outcome?.ran === true, called: hasLeft || canary.connections() > before })
    if (hasLeft || outcome.ran) agent = await openAgentPage(t, demo, fences)
  }
  return done
}

const namesOf = (done: Done, what: 'ran' | 'called') =>
  [...done].filter(([, outcome]) => outcome[what]).map(([{ name }]) => name)

t.test('the sandbox and the policy – without the guard – block all but connections without a request', { skip, timeout: 240_000 }, async (t) => {
  const canary = await startCanary(t)
  const done = await playAll(t, { guard: false, policy: true, sandbox: true }, canary, attacksFor(canary.url))
  t.strictSame(namesOf(done, 'ran'), [])
  // Chromium opens a connection for these before it checks the policy, and makes no request on it.
  t.strictSame(namesOf(done, 'called').filter((name) => !/preconnect|<iframe src>/.test(name)), [])
})

t.test('the guard – without the policy – blocks all attacks outside styles', { skip, timeout: 240_000 }, async (t) => {
  const canary = await startCanary(t)
  const attacks = attacksFor(canary.url).filter(({ policyOnly }) => policyOnly !== true)
  const done = await playAll(t, { guard: true, policy: false, sandbox: true }, canary, attacks)
  t.strictSame(namesOf(done, 'ran'), [])
  t.strictSame(namesOf(done, 'called'), [])
})

t.test('attacks – without any fence – have their intended effect', { skip, timeout: 240_000 }, async (t) => {
  const canary = await startCanary(t)
  const attacks = attacksFor(canary.url).filter(({ does, name }) =>
    does !== undefined && /^(<img|<iframe|@import|url\(\))/.test(name))
  const done = await playAll(t, { guard: false, policy: false, sandbox: false }, canary, attacks)
  const harmless = [...done].filter(([, { ran, called }]) => !ran && !called).map(([{ name }]) => name)
  t.strictSame(harmless, [], 'a harmless attack would make the tests above meaningless')
  t.ok(namesOf(done, 'ran').length > 0)
})
