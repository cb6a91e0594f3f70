import { spawn } from 'node:child_process'
import { ROOT } from '../support/doc-blocks.js'

export interface Outcome {
  code: number | null
  out: string
  errors: string
}

const { NODE_OPTIONS, ...INHERITED } = process.env

/** Runs the command of the package. */
export async function runCli (args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [`${ROOT}dist/lib/cli/main.js`, ...args], {
    cwd: ROOT, env: { ...INHERITED, ...env }, stdio: ['ignore', 'pipe', 'pipe']
  })
  const texts = { out: '', errors: '' }
  child.stdout.on('data', (chunk: Buffer) => { texts.out += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { texts.errors += chunk.toString() })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...texts }
}
