// Breaks one rule after the other, in a copy of the project, and shows which test turns red. All must.
//
//   npm run test:mutations               every breakage
//   npm run test:mutations -- no linger  those whose name holds the words
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MUTATIONS } from './mutations.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const COPIED = ['lib', 'types', 'test', 'demo', 'docs', 'README.md', 'package.json', 'tsconfig.json']
/** Some breakages make a test wait for ever. */
const LIMIT_MS = 240_000

const words = process.argv.slice(2).join(' ')
const chosen = MUTATIONS.filter(({ name }) => name.includes(words))
const survivors = []
for (const mutation of chosen) {
  const startedAt = performance.now()
  const red = await tryOut(mutation)
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  if (red === undefined) survivors.push(mutation.name)
  console.log(`${red === undefined ? 'SURVIVED' : 'red     '} ${mutation.name}: ${red ?? mutation.tests.join(' ')} (${seconds} s)`)
}
console.log(`${chosen.length} breakages, ${survivors.length} survived`)
if (survivors.length > 0 || chosen.length === 0) process.exitCode = 1

/** Returns what the first test that turned red says. */
async function tryOut ({ tests, also, ...change }) {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-mutation-'))
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    for (const { file, find, replace } of [change, ...(also === undefined ? [] : [also])]) {
      const path = join(folder, file)
      const source = readFileSync(path, 'utf8')
      if (source.split(find).length !== 2) throw new Error(`not exactly once in ${file}: ${find}`)
      writeFileSync(path, source.replace(find, () => replace))
    }
    for (const test of tests) {
      const { code, output } = await run(folder, test)
      if (code !== 0) return `${test}: ${firstRed(output)}`
    }
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run (cwd, test) {
  const child = spawn('npx', ['tap', '--disable-coverage', '--bail', '--timeout=0', test], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SIMULATION_COMMANDS: '40000', SIMULATION_SEED: '1', SIMULATION_SHRINKS: 'no' }
  })
  let output = ''
  child.stdout.on('data', (data) => { output += data })
  child.stderr.on('data', (data) => { output += data })
  // The whole group: the test has children of its own.
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LIMIT_MS)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { code, output }
}

function firstRed (output) {
  const broken = /message: "?((?:I\d+|REL)\b[^\n"]*)/.exec(output)?.[1]
  const failed = /^ +(?:not ok \d+ -|Bail out!) (.*)$/m.exec(output)?.[1]
  return (broken ?? failed ?? 'it does not end').slice(0, 110)
}
