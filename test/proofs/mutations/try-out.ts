import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'

interface Change {
  file: string
  find: string
  replace: string
}

export interface Mutation extends Change {
  name: string
  also?: Change
  tests: string[]
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const COPIED = ['lib', 'types', 'test', 'demo', 'docs', 'examples', 'README.md', 'package.json', 'tsconfig.json']
const TAP = join(ROOT, 'node_modules/tap/dist/esm/run.mjs')
/** Time limit, since some breakages make a test wait forever. */
const LIMIT_MS = 240_000

/** Breaks a rule in a copy of the project. @returns the message of the first red test, if any */
export async function tryOut ({ tests, also, ...change }: Mutation): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-mutation-'))
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    for (const { file, find, replace } of also === undefined ? [change] : [change, also]) {
      const path = join(folder, file)
      writeFileSync(path, readFileSync(path, 'utf8').replace(find, () => replace))
    }
    for (const test of tests) {
      const { code, output } = await runTest(folder, test)
      if (code !== 0) return `${test}: ${firstRed(output)}`
    }
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runTest (cwd: string, test: string): Promise<{ code: number | null, output: string }> {
  const child = spawn(process.execPath, [TAP, '--disable-coverage', '--bail', '--timeout=0', '--reporter=tap', test], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The tests must not inherit the environment of the tap that runs this test.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, SIMULATION_COMMANDS: '40000', SIMULATION_SHRINKS: 'no' }
  })
  let output = ''
  child.stdout.on('data', (data) => { output += data })
  child.stderr.on('data', (data) => { output += data })
  const timer = setTimeout(() => killGroup(child), LIMIT_MS)
  const closed = once(child, 'close')
  const [code] = await once(child, 'exit') as [number | null]
  clearTimeout(timer)
  // A test that bails out leaves its servers behind.
  killGroup(child)
  await closed
  return { code, output }
}

function killGroup ({ pid = NaN }: ChildProcess): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of them have ended.
  }
}

function firstRed (output: string): string {
  const broken = /message: "?((?:I\d+|REL)\b[^\n"]*)/.exec(output)?.[1]
  const failed = /^ +(?:not ok \d+ -|Bail out!) (.*)$/m.exec(output)?.[1]
  return (broken ?? failed ?? 'the test does not end').slice(0, 110)
}
