// Runs both kinds of tests, repeats all failures at the end, and closes with the totals of the test runners.
import { spawn } from 'node:child_process'
import { failuresOf, totalsOf, toText } from '../test/runner/tap-output.mjs'
import { root } from './prepare.mjs'

/** Parts of test:long that guard main. The other parts search for unknown faults, or measure an idle machine. */
const PARTS = [
  'client/', 'demo/basics', 'demo/demo', 'demo/masking', 'demo/replay-safety', 'demo/session', 'demo/shutdown',
  'examples/react', 'examples/relay-java.', 'examples/relay-python.', 'examples/vite', 'gateways', 'model/', 'package',
  'promise', 'race/redis', 'recorder/page-cache', 'recorder/sheets', 'recorder/states', 'redis-client/',
  'registry/moving', 'registry/race', 'registry/redis/clients', 'replayer/pages', 'simulation/', 'testing/'
]
const STEPS = [
  ['npm', 'test'],
  ['npm', 'run', 'test:long', '--', '--minutes=4', '--seed=1', ...PARTS]
]

const sum = { passed: 0, failed: 0, skipped: 0 }
const failures = []
for (const [command, ...args] of STEPS) {
  const { code, output } = await runAndTell(command, args)
  const totals = totalsOf(output)
  for (const name of Object.keys(sum)) sum[name] += totals?.[name] ?? 0
  if (code !== 0) failures.push(`${[command, ...args].join(' ')} ended with ${code}\n${failuresOf(output)}`)
  if (totals === undefined) failures.push('a step before the tests failed: see above')
  if (totals === undefined) break
}
if (failures.length > 0) console.log(`\nWhat failed:\n${failures.join('\n')}`)
console.log(toText(sum))
process.exitCode = failures.length > 0 || sum.passed === 0 ? 1 : 0

async function runAndTell (command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { code, output }
}
