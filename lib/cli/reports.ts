import type { NodeReport, RuleReport } from '../../types/testing.js'

/** A report in the Test Anything Protocol, version 14. */
export function toTap ({ rules }: NodeReport): string {
  const lines = rules.map(({ id, rule, outcome, detail }, index) => {
    const title = `${index + 1} - ${id}: ${rule.replaceAll('#', '\\#')}`
    if (outcome === 'kept') return `ok ${title}`
    if (outcome === 'not checked') return `ok ${title} # SKIP ${oneLine(detail)}`
    return `not ok ${title}\n  ---\n  detail: ${JSON.stringify(detail ?? '')}\n  ...`
  })
  return ['TAP version 14', `1..${rules.length}`, ...lines, ''].join('\n')
}

/** A report in the form of JUnit that continuous-integration servers read. */
export function toJUnit ({ rules }: NodeReport): string {
  const count = (outcome: RuleReport['outcome']) => rules.filter((rule) => rule.outcome === outcome).length
  const cases = rules.map(({ id, rule, outcome, detail = '' }) => {
    const open = `    <testcase classname="${xml(id)}" name="${xml(rule)}"`
    if (outcome === 'kept') return `${open}/>`
    const element = outcome === 'broken' ? 'failure' : 'skipped'
    return `${open}>\n      <${element} message="${xml(detail)}"/>\n    </testcase>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="fastify-cobrowse check-node" tests="${rules.length}" failures="${count('broken')}" ` +
      `skipped="${count('not checked')}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    ''
  ].join('\n')
}

const oneLine = (text = '') => text.replaceAll(/\s+/g, ' ')

// A detail may quote what a node sent: characters that XML 1.0 has no form for become a replacement character.
function xml (text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replaceAll(/[&<>"]/g, (letter) => entities[letter] ?? letter)
    // eslint-disable-next-line no-control-regex -- XML 1.0 has no form for these characters
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu, '\ufffd')
}
