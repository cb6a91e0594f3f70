import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from './redis-server.js'
import { skipWithout } from './skip-reason.js'
import { until } from './until.js'
import type { Test } from 'tap'

/** Values for the `skip` of tap. */
export const withoutPrometheus = skipWithout('prometheus')
export const withoutPromtool = skipWithout('promtool')

export interface Alert {
  state: 'pending' | 'firing'
  labels: Record<string, string>
  annotations: Record<string, string>
}

export interface PrometheusServer {
  /** Alerts that are pending or firing now. */
  alerts (): Promise<Alert[]>
  /** Value of the first series that the expression returns; `undefined` if it returns none. */
  valueOf (expression: string): Promise<number | undefined>
}

/** Starts a real Prometheus on a free loopback port, stopped with the test. */
export async function startPrometheus (t: Test, configFile: string): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-prometheus-'))
  const port = await findFreePort()
  const child = spawn('prometheus', [
    `--config.file=${configFile}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`
  ], { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { output += text })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', (error) => {
      output += String(error)
      resolve()
    })
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })

  async function ask<Data> (path: string): Promise<Data> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    const { data } = await response.json() as { data: Data }
    return data
  }

  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined))?.ok === true
  await until(async () => child.pid === undefined || child.exitCode !== null || await isReady(), 'Prometheus to be ready')
  if (!await isReady()) throw new Error(`Prometheus did not start: ${output}`)

  return {
    alerts: async () => (await ask<{ alerts: Alert[] }>('/api/v1/alerts')).alerts,
    async valueOf (expression) {
      const path = `/api/v1/query?query=${encodeURIComponent(expression)}`
      const { result } = await ask<{ result: Array<{ value: [number, string] }> }>(path)
      return result[0] && Number(result[0].value[1])
    }
  }
}
