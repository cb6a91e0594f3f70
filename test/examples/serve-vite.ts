import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../support/doc-blocks.js'
import { findFreePort } from '../support/redis-server.js'
import { eventually } from '../support/until.js'
import type { Test } from 'tap'

const VITE = `${ROOT}node_modules/vite/bin/vite.js`

/** Builds the pages of an example, and serves what was built. @returns their address */
export async function serveVite (t: Test, example: string, gateway: string): Promise<string> {
  const cwd = `${ROOT}examples/${example}`
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
