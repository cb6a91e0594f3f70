import t from 'tap'
import { toJUnit, toTap } from '../../lib/cli/reports.js'
import type { NodeReport } from '../../types/testing.js'

const report: NodeReport = {
  passed: false,
  complete: false,
  rules: [
    { id: 'registers', rule: 'registers', outcome: 'kept' },
    { id: 'admits', rule: 'admits <#1> & "2"', outcome: 'broken', detail: 'a client\n"x" <y> \u0000\ud800 stays' },
    { id: 'leaves', rule: 'leaves', outcome: 'not checked', detail: 'needs\nstop and start' }
  ]
}

t.test('a report in TAP – has a plan, the details of broken rules, and reasons for the others', async (t) => {
  t.equal(toTap(report), [
    'TAP version 14',
    '1..3',
    'ok 1 - registers: registers',
    'not ok 2 - admits: admits <\\#1> & "2"',
    '  ---',
    `  detail: ${JSON.stringify('a client\n"x" <y> \u0000\ud800 stays')}`,
    '  ...',
    'ok 3 - leaves: leaves # SKIP needs stop and start',
    ''
  ].join('\n'))
})

t.test('a report as JUnit – is well-formed, whatever a node sent', async (t) => {
  t.equal(toJUnit(report), [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    '  <testsuite name="fastify-cobrowse check-node" tests="3" failures="1" skipped="1">',
    '    <testcase classname="registers" name="registers"/>',
    '    <testcase classname="admits" name="admits &lt;#1&gt; &amp; &quot;2&quot;">',
    '      <failure message="a client\n&quot;x&quot; &lt;y&gt; \ufffd\ufffd stays"/>',
    '    </testcase>',
    '    <testcase classname="leaves" name="leaves">',
    '      <skipped message="needs\nstop and start"/>',
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
    ''
  ].join('\n'))
})
