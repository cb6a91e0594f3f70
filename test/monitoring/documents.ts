import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { ROOT } from '../support/doc-blocks.js'

export const ALERTS_FILE = `${ROOT}docs/monitoring/alerts.yml`

export interface AlertRule {
  alert: string
  expr: string
  for: string
  labels: { severity: string }
  annotations: { summary: string, description: string, runbook: string }
}

export interface RuleFile {
  groups: Array<{ name: string, rules: AlertRule[] }>
}

export const readText = (path: string): string => readFileSync(ROOT + path, 'utf8')

export const readRuleFile = (): RuleFile => parse(readText('docs/monitoring/alerts.yml')) as RuleFile

export const readAlerts = (): AlertRule[] => readRuleFile().groups.flatMap(({ rules }) => rules)

interface Panel {
  id: number
  title: string
  type: string
  gridPos: { h: number, w: number, x: number, y: number }
  datasource?: { type: string, uid: string }
  targets?: Array<{ expr: string, legendFormat: string, datasource: { uid: string } }>
}

interface Dashboard {
  panels: Panel[]
  templating: { list: Array<{ name: string, type: string, definition?: string }> }
}

export const readDashboard = (): Dashboard => JSON.parse(readText('docs/monitoring/dashboard.json')) as Dashboard

/** Expressions of the dashboard with its variables replaced, so that Prometheus can read them. */
export const readDashboardQueries = (): string[] =>
  readDashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) =>
    expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(gateway|node)\b/g, '.*')))
