import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { closeChromium, openBrowser, openPage, withoutChromium } from '../support/chromium.js'
import { ROOT } from '../support/doc-blocks.js'
import { findFreePort } from '../support/redis-server.js'
import { eventually } from '../support/until.js'
import { startExample } from './start-example.js'
import type { Test } from 'tap'

const VITE = `${ROOT}node_modules/vite/bin/vite.js`
const cwd = `${ROOT}examples/vite-page`

t.teardown(closeChromium)

/** Builds the page, and serves what was built. */
async function servePage (t: Test, gateway: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-vite-'))
  const { NODE_OPTIONS, ...inherited } = process.env
  const env = { ...inherited, GATEWAY: gateway }
  await promisify(execFile)(process.execPath, [VITE, 'build', '--outDir', folder, '--emptyOutDir'], { cwd, env })
  const port = await findFreePort()
  const args = ['preview', '--outDir', folder, '--host', '127.0.0.1', '--port', String(port), '--strictPort']
  const child = spawn(process.execPath, [VITE, ...args], { cwd, env, stdio: 'ignore' })
  t.teardown(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}/`
  await eventually(async () => (await fetch(url)).status, 200, 'Vite serves the page')
  return url
}

t.test('the page – built with Vite, in two windows – brings a text from the customer to the agent', {
  skip: withoutChromium
}, async (t) => {
  const gateway = await startExample(t, 'relay-fastify-websocket/server.js', /is registered/, { DRAIN_DEADLINE: '0' })
  const url = await servePage(t, gateway.base)
  const browser = await openBrowser(t)
  const { page: customer, complaints } = await openPage(browser, url)
  await customer.fill('#text', 'written before the agent came')
  const { page: agent } = await openPage(browser, `${url}?role=replayer`)
  await eventually(async () => await agent.inputValue('#text'), 'written before the agent came')
  await customer.fill('#text', 'and after')
  await eventually(async () => await agent.inputValue('#text'), 'and after')
  await eventually(async () => await agent.textContent('#state'), 'open')
  t.strictSame(complaints, [])

  await gateway.stop()
  await eventually(async () => await agent.textContent('#problem'), /trying again in \d+ s/)
})
