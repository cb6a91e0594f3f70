import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { startPrometheus, withoutPrometheus } from '../support/prometheus-server.js'
import { findFreePort } from '../support/redis-server.js'
import { startDemo } from '../support/start-demo.js'
import { eventually, until } from '../support/until.js'
import { readRuleFile } from './documents.js'
import type { Test } from 'tap'

/** Writes the rules without their waiting times, and a configuration that scrapes one gateway twice a second. */
function writeConfig (t: Test, target: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-monitoring-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { groups } = readRuleFile()
  const impatient = groups.map((group) => ({ ...group, rules: group.rules.map((rule) => ({ ...rule, for: '0s' })) }))
  writeFileSync(join(folder, 'alerts.yml'), stringify({ groups: impatient }))
  writeFileSync(join(folder, 'prometheus.yml'), stringify({
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: ['alerts.yml'],
    scrape_configs: [{ job_name: 'cobrowse-gateways', static_configs: [{ targets: [target] }] }]
  }))
  return join(folder, 'prometheus.yml')
}

t.test('a real Prometheus – nodes of the demo stopped hard, gateway killed – fires the alert of each', {
  skip: withoutPrometheus
}, async (t) => {
  const port = String(await findFreePort())
  const host = `127.0.0.1:${port}`
  const [demo, prometheus] = await Promise.all([
    startDemo(t, { PORT: port }), startPrometheus(t, writeConfig(t, host))
  ])
  const stop = async (number: number) => {
    const { nodes } = await (await fetch(`${demo.base}/demo/topology/state`)).json() as { nodes: Array<{ id: string }> }
    await fetch(`${demo.base}/demo/nodes/${nodes[number]?.id}/stop`, { method: 'POST' })
  }
  const firing = async () => (await prometheus.alerts()).map(({ labels }) => labels.alertname).sort()

  await eventually(() => prometheus.valueOf('cobrowse_nodes{state="serving"}'), 2)
  await eventually(() => prometheus.valueOf('sum(cobrowse_node_state{state="serving"})'), 2)
  await eventually(firing, [], 'no alert while all is well')

  await stop(0)
  const lost = await until(async () =>
    (await prometheus.alerts()).find(({ labels }) => labels.alertname === 'CobrowseNodeLost'), 'the alert for the lost node')
  t.match(lost, {
    state: 'firing',
    labels: { alertname: 'CobrowseNodeLost', severity: 'warning', instance: host, job: 'cobrowse-gateways' },
    annotations: {
      summary: `Gateway ${host} sees fewer nodes than before`,
      description: /^1 nodes are left/,
      runbook: 'docs/runbook.md#cobrowsenodelost'
    }
  })
  await stop(1)
  await eventually(firing, ['CobrowseNoLiveNode', 'CobrowseNodeLost'])

  await demo.stop('SIGKILL')
  await eventually(firing, ['CobrowseGatewayDown', 'CobrowseNoGatewayReady'])
})
