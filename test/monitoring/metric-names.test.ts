import t from 'tap'
import { parse } from 'yaml'
import { readAlerts, readDashboard, readDashboardQueries, readText } from './documents.js'
import { readExpression } from './expressions.js'
import { collectMetrics } from './real-metrics.js'
import type { RealMetrics } from './real-metrics.js'

/** Labels that Prometheus adds to each series. */
const OF_PROMETHEUS = ['job', 'instance']

interface RuleTests {
  tests: Array<{ name: string, input_series: Array<{ series: string }> }>
}

/** Returns the metrics, labels and values of an expression that no gateway and no node shows. */
function faultsOf (text: string, real: RealMetrics): string[] {
  const { selectors, grouping } = readExpression(text)
  const faults: string[] = []
  const known = new Set(OF_PROMETHEUS)
  for (const { metric, labels } of selectors) {
    const ofMetric = metric === 'up' ? new Map<string, Set<string>>() : real.get(metric)
    if (ofMetric === undefined) faults.push(`no metric ${metric}`)
    for (const label of ofMetric?.keys() ?? []) known.add(label)
    for (const { name, values } of labels) {
      if (OF_PROMETHEUS.includes(name)) continue
      const shown = ofMetric?.get(name)
      if (shown === undefined) faults.push(`${metric} has no label ${name}`)
      if (shown === undefined || name === 'node') continue
      for (const value of values) if (!shown.has(value)) faults.push(`${metric} has no ${name} ${value}`)
    }
  }
  return [...faults, ...grouping.filter((label) => !known.has(label)).map((label) => `no label ${label}`)]
}

t.test('metrics, labels and values that are used – in alerts, dashboard and unit tests – exist', async (t) => {
  const real = await collectMetrics(t)
  for (const [wrong, fault] of [
    ['rate(cobrowse_request_total[5m]) > 1', 'no metric cobrowse_request_total'],
    ['sum by (code) (cobrowse_requests_total)', 'no label code'],
    ['cobrowse_nodes{status="serving"}', 'cobrowse_nodes has no label status'],
    ['cobrowse_dependency_state{state=~"down|away"}', 'cobrowse_dependency_state has no state away'],
    ['cobrowse_requests_total{ret_code="50399"}', 'cobrowse_requests_total has no ret_code 50399'],
    ['topk(3, cobrowse_nodes)', 'no metric topk']
  ] as const) t.strictSame(faultsOf(wrong, real), [fault], `a fault is found: ${wrong}`)

  for (const { alert, expr, annotations } of readAlerts()) {
    t.strictSame(faultsOf(expr, real), [], alert)
    const ofMetrics = readExpression(expr).selectors.flatMap(({ metric }) => [...real.get(metric)?.keys() ?? []])
    const shown = new Set([...OF_PROMETHEUS, ...ofMetrics])
    for (const [, label = ''] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)) t.ok(shown.has(label), `${alert}: ${label}`)
  }
  const queries = readDashboardQueries()
  t.ok(queries.length > 20)
  for (const query of queries) t.strictSame(faultsOf(query, real), [], query)
  for (const { name, definition = '' } of readDashboard().templating.list) {
    const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? []
    if (definition !== '') t.ok(real.has(metric) && (OF_PROMETHEUS.includes(label) || real.get(metric)?.has(label)), name)
  }
  const { tests } = parse(readText('test/monitoring/alerts.test.yml')) as RuleTests
  for (const { name, input_series: series } of tests) {
    for (const { series: one } of series) t.strictSame(faultsOf(one, real), [], name)
  }
})

t.test('the dashboard – panels and variables – are complete, and none overlaps', async (t) => {
  const { panels, templating } = readDashboard()
  const variables = templating.list.map(({ name }) => `$${name}`)
  t.equal(templating.list[0]?.type, 'datasource')
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'ids are unique')
  const cells: string[] = []
  for (const { title, type, gridPos: { h, w, x, y }, datasource, targets = [] } of panels) {
    t.ok(x + w <= 24, title)
    for (let at = 0; at < h * w; at++) cells.push(`${x + at % w},${y + Math.floor(at / w)}`)
    t.equal(new Set(cells).size, cells.length, `${title} overlaps no other panel`)
    if (type === 'row') continue
    t.equal(datasource?.uid, '${datasource}', title) // eslint-disable-line no-template-curly-in-string -- Grafana's own form
    t.ok(targets.length > 0, title)
    for (const { expr } of targets) {
      const used = [...expr.matchAll(/\$\w+/g)].map(([name]) => name).filter((name) => !name.startsWith('$__'))
      t.ok(used.length > 0 && used.every((name) => variables.includes(name)), `${title}: ${used.join()}`)
    }
  }
  t.strictSame(panels.filter(({ type }) => type === 'row').map(({ title }) => title), [
    'Traffic and latency', 'Refusals by code', 'Registry and nodes', 'Rooms', 'Provision', 'Node kit'
  ])
})
