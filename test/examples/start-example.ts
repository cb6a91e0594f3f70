import { ROOT } from '../support/doc-blocks.js'
import { findFreePort } from '../support/redis-server.js'
import { runDemo } from '../support/start-demo.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'

export const PATH = '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo'

export interface Example {
  port: number
  base: string
  /** Output of both streams. */
  output (): string
  /** Sends a signal, by default SIGTERM, and waits for the exit code. */
  stop (signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts an example as a process of its own, on `PORT` or a free port, until its output matches. */
export async function startExample (
  t: Test, path: string, ready: RegExp, { PORT, ...env }: Record<string, string> = {}
): Promise<Example> {
  const port = PORT === undefined ? await findFreePort() : Number(PORT)
  const { child, output, exited } = runDemo({ PORT: String(port), ...env }, `${ROOT}examples/${path}`)
  t.teardown(() => child.kill('SIGKILL'))
  await until(() => ready.test(output()) || child.exitCode !== null, `${path} prints ${ready}`)
  if (!ready.test(output())) throw new Error(`${path} did not start: ${output()}`)
  return {
    port,
    base: `http://127.0.0.1:${port}`,
    output,
    async stop (signal = 'SIGTERM') {
      child.kill(signal)
      return await exited
    }
  }
}

export async function post (url: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body)
  })
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
}

/** Logs a user in, and asks where the room is. */
export async function ask ({ base }: Example, userId: string, role: string, roomId = 'r1') {
  const { body: { token } } = await post(`${base}/login`, { userId })
  return await post(base + PATH, { roomId, userId, userName: 'Li Na', role }, { 'ccmessaging-token': token })
}
