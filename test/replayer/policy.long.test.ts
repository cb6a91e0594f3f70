import t from 'tap'
import { attacksFor } from '../demo/attacks.js'
import { startCanary } from '../demo/hostile-recorder.js'
import { addLater, page as pageOf, say, setLater } from '../demo/hostile-page.js'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { elapse } from '../support/elapse.js'
import { eventually } from '../support/until.js'
import { META_POLICY, openViewer, POLICY } from './viewer-page.js'
import type { Viewer } from './viewer-page.js'

const skip = withoutChromium
t.teardown(closeChromium)

async function show ({ members, pass, shows }: Viewer): Promise<void> {
  await members(2)
  await pass(...pageOf('x'))
  await shows('x')
  await elapse(300, 'time for the check')
}

t.test('styles that fetch – on a page without any policy – are blocked by that of the frame', { skip, timeout: 120_000 }, async (t) => {
  const canary = await startCanary(t)
  const viewer = await openViewer(t, { policy: '', meta: '' })
  const { members, pass, shows, told } = viewer
  await members(2)
  const attacks = attacksFor(canary.url).filter(({ policyOnly }) => policyOnly)
  t.ok(attacks.length > 15)
  for (const { name, nodes = [], events = [] } of attacks) {
    await pass(...pageOf(name, nodes))
    await shows(name)
    await pass(...events, addLater(nodes), ...setLater(nodes), say(`${name} later`))
    await shows(`${name} later`)
    await elapse(60, 'time for a fetch')
    t.equal(canary.connections(), 0, name)
  }
  await eventually(async () => await told('policy'), [])
})

t.test('a page – with the documented policy or without one – is not warned, and its console stays empty', { skip }, async (t) => {
  for (const [policy, meta] of [[POLICY, META_POLICY], ['', '']] as const) {
    const viewer = await openViewer(t, { policy, meta })
    await show(viewer)
    await eventually(async () => await viewer.told('policy'), [])
    t.strictSame(viewer.complaints, [])
  }
})

t.test('a page whose policy forbids inline styles – at the first picture – is warned', { skip }, async (t) => {
  const viewer = await openViewer(t, { policy: POLICY.replace(" 'unsafe-inline'", ''), meta: '' })
  const warnings: string[] = []
  viewer.page.on('console', (message) => { if (message.type() === 'warning') warnings.push(message.text()) })
  await show(viewer)
  const problem = /forbids the styles of the picture: its style-src must allow 'unsafe-inline'/
  await eventually(async () => (await viewer.told('policy')).join(), problem)
  t.match(warnings.join(), problem)
  await viewer.pass(...pageOf('y'))
  await viewer.shows('y')
  await elapse(300, 'time for another check')
  await eventually(async () => (await viewer.told('policy')).length, 1)
})

// A browser that ignores the policy of the frame.
const WITHOUT = `{ Replayer: class extends Replayer {
  constructor (...args) {
    super(...args)
    this.iframe.contentDocument.head.append = () => {}
  }
} }`

t.test('a browser without the policy of the frame – at the first picture – is told', { skip }, async (t) => {
  for (const policy of ['', POLICY]) {
    const viewer = await openViewer(t, { policy, meta: '', options: WITHOUT })
    await show(viewer)
    await eventually(async () => (await viewer.told('policy')).join(), /does not apply .* its styles may fetch/)
  }
})
