import t from 'tap'
import { secondLook } from './second-look.js'
import type { NodeReport } from '../../lib/testing/index.js'

type Outcomes = Record<string, NodeReport['rules'][number]['outcome']>

const toReport = (outcomes: Outcomes): NodeReport => ({
  passed: Object.values(outcomes).every((outcome) => outcome !== 'broken'),
  complete: true,
  rules: Object.entries(outcomes).map(([id, outcome]) => ({ id, rule: id, outcome }))
})

/** A check whose results come one after the other. */
function checks (...results: Outcomes[]) {
  const asked: Array<string[] | undefined> = []
  return {
    asked,
    check: async (only?: string[]) => {
      asked.push(only)
      return toReport(results.shift() ?? {})
    }
  }
}

t.test('a second look – every outcome as expected – is not taken', async (t) => {
  const { check, asked } = checks({ a: 'kept', b: 'broken' })
  t.match(await secondLook(check, ['b']), { passed: false })
  t.strictSame(asked, [undefined])
})

t.test('a second look – an outcome that nobody expects – is taken at these rules, and decides', async (t) => {
  const { check, asked } = checks({ a: 'broken', b: 'kept', c: 'kept' }, { a: 'kept', b: 'broken', c: 'broken' })
  const report = await secondLook(check, ['b'])
  t.strictSame(asked, [undefined, ['a', 'b']])
  t.strictSame(report.rules.map(({ outcome }) => outcome), ['kept', 'broken', 'kept'])
  t.equal(report.passed, false)
})

t.test('a second look – a rule that stays broken – changes nothing', async (t) => {
  const { check } = checks({ a: 'broken' }, { a: 'broken' })
  t.match(await secondLook(check), { passed: false, rules: [{ outcome: 'broken' }] })
})
