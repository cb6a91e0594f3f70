import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { parse, stringify } from 'yaml'
import * as errors from '../../lib/errors.js'
import { ROOT } from '../support/doc-blocks.js'
import { withoutPromtool } from '../support/prometheus-server.js'
import { ALERTS_FILE, readAlerts, readDashboardQueries, readText } from './documents.js'
import { readExpression } from './expressions.js'

const execute = promisify(execFile)
const promtool = async (...args: string[]) => {
  const { stdout, stderr } = await execute('promtool', args, { cwd: ROOT })
  return stdout + stderr
}
const headingsOf = (path: string) => [...readText(path).matchAll(/^### (.+)$/gm)].map(([, heading]) => heading)

t.test('rules and sample configuration – checked by promtool – are valid', { skip: withoutPromtool }, async (t) => {
  t.match(await promtool('check', 'rules', ALERTS_FILE), `SUCCESS: ${readAlerts().length} rules found`)
  const ofConfig = await promtool('check', 'config', 'docs/monitoring/prometheus.yml')
  t.match(ofConfig, /SUCCESS: 1 rule files found/)
  t.match(ofConfig, /prometheus\.yml is valid/)
})

t.test('alerts – unit tests of promtool – fire when they should, and not otherwise', { skip: withoutPromtool }, async (t) => {
  t.match(await promtool('test', 'rules', 'test/monitoring/alerts.test.yml'), /SUCCESS/)
})

t.test('queries of the dashboard – checked by promtool as rules – are valid', { skip: withoutPromtool }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-queries-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const rules = readDashboardQueries().map((expr, at) => ({ record: `query:${at}`, expr }))
  writeFileSync(join(folder, 'queries.yml'), stringify({ groups: [{ name: 'dashboard', rules }] }))
  t.match(await promtool('check', 'rules', join(folder, 'queries.yml')), `SUCCESS: ${rules.length} rules found`)
})

t.test('each alert – severity, texts, unit tests, and section of the runbook – is complete', async (t) => {
  const alerts = readAlerts()
  const names = alerts.map(({ alert }) => alert)
  const headings = headingsOf('docs/runbook.md')
  const tests = readText('test/monitoring/alerts.test.yml')
  for (const { alert, labels, annotations: { summary, description, runbook }, for: duration } of alerts) {
    t.ok(['critical', 'warning', 'info'].includes(labels.severity), alert)
    t.match(duration, /^\d+[ms]$/, alert)
    t.match(description, /\.$/, `${alert}: whole sentences`)
    t.notMatch(summary, /\.$/, alert)
    t.equal(runbook, `docs/runbook.md#${alert.toLowerCase()}`)
    t.ok(headings.includes(alert), `${alert} has its section`)
    t.match(tests, `alertname="${alert}"`, `${alert} fires in a unit test`)
  }
  t.strictSame(headings.filter((heading) => heading?.startsWith('Cobrowse')), names, 'in the order of the rules')
})

t.test('the runbook – each retCode of 5xx – has its section', async (t) => {
  const codes = Object.values(errors).map((RequestError) => new RequestError().code.replace('FST_COBROWSE_', ''))
  const failures = codes.filter((code) => code.startsWith('5')).sort()
  t.strictSame(headingsOf('docs/runbook.md').filter((heading) => /^\d+$/.test(heading ?? '')), failures)
})

t.test('the table of alerts – severity and metrics – are those of the rules', async (t) => {
  const rows = readText('docs/monitoring/README.md').split('\n').filter((line) => line.startsWith('| `Cobrowse'))
    .map((line) => line.replaceAll('`', '').split('|').slice(1, -1).map((cell) => cell.trim()))
  const expected = readAlerts().map(({ alert, labels, expr }) =>
    [alert, labels.severity, [...new Set(readExpression(expr).selectors.map(({ metric }) => metric))].sort().join(', ')])
  t.strictSame(rows.map(([alert, severity, , metrics]) => [alert, severity, metrics]), expected)
})

t.test('jobs that the rules name – in the sample configuration – exist', async (t) => {
  const { scrape_configs: jobs } = parse(readText('docs/monitoring/prometheus.yml')) as { scrape_configs: Array<{ job_name: string }> }
  const named = readAlerts().flatMap(({ expr }) => readExpression(expr).selectors)
    .flatMap(({ labels }) => labels.filter(({ name }) => name === 'job').flatMap(({ values }) => values))
  t.strictSame([...new Set(named)].sort(), jobs.map(({ job_name: name }) => name).sort())
})
