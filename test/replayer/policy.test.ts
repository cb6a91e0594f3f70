import t from 'tap'
import { findProblem } from '../../lib/replayer/policy.js'
import { closeChromium, withoutChromium } from '../support/chromium.js'
import { eventually } from '../support/until.js'
import { META_POLICY, openViewer, POLICY } from './viewer-page.js'

const skip = withoutChromium
t.teardown(closeChromium)

const META = "style-src 'unsafe-inline'"

t.test('the policies of a page – read as a browser does – suffice together, or the problem is named', async (t) => {
  t.equal(findProblem([POLICY, META]), undefined)
  t.equal(findProblem(["default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src 'none'"]), undefined)
  t.equal(findProblem([POLICY, META, "script-src 'self'"]), undefined)
  const problems: Array<[policies: string[], problem: RegExp]> = [
    [[], /fetch images \(img-src\), fonts \(font-src\), style sheets \(style-src\)\. See /],
    [[POLICY], /fetch style sheets \(style-src\)/],
    [[META], /fetch images \(img-src\), fonts \(font-src\)\./],
    [[POLICY.replace('img-src data:', 'IMG-SRC data: https:'), META], /fetch images \(img-src\)\./],
    [[POLICY.replace('font-src data:', 'font-src *'), META], /fetch fonts/],
    [[POLICY.replace('font-src data:', 'font-src data:; font-src *'), META], /^$/],
    [["default-src 'self'", META], /images .* fonts /],
    [[POLICY, META.replace(';', ''), "style-src 'self'"], /forbids the styles/],
    [[POLICY, "style-src 'unsafe-inline' 'nonce-abc'"], /forbids the styles/],
    [["default-src 'none'"], /forbids the styles/]
  ]
  for (const [policies, problem] of problems) t.match(findProblem(policies) ?? '', problem, policies.join(' | '))
})

t.test('a page with the documented policies – opened – is not warned, and its console stays empty', { skip }, async (t) => {
  const { page, told, complaints } = await openViewer(t)
  await page.evaluate('new Promise((resolve) => setTimeout(resolve, 500))')
  await eventually(async () => await told('policy'), [])
  t.strictSame(complaints, [])
})

t.test('a page without a sufficient policy – opened – is told why, on the console as well', { skip }, async (t) => {
  const cases: Array<[policy: string, meta: string, problem: RegExp]> = [
    ['', '', /images .* fonts .* style sheets/],
    [POLICY, '', /fetch style sheets \(style-src\)\./],
    ["script-src 'self'", META_POLICY, /images .* fonts/],
    ["script-src 'self' 'unsafe-eval'; img-src 'self'; font-src data:", META_POLICY, /images \(img-src\)\./]
  ]
  for (const [policy, meta, problem] of cases) {
    const { told, page } = await openViewer(t, { policy, meta })
    await eventually(async () => (await told('policy')).join(), problem, policy)
    await page.close()
  }
})

t.test('a page that allows eval – with a sufficient policy otherwise – is not warned', { skip }, async (t) => {
  const { page, told, complaints } = await openViewer(t, { policy: POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'") })
  await eventually(() => complaints.filter((it) => it.includes('cobrowse-policy-probe')).length >= 3, true)
  await page.evaluate('new Promise((resolve) => setTimeout(resolve, 300))')
  await eventually(async () => await told('policy'), [])
})
