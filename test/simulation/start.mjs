// The simulation, as long as one likes.
//
//   npm run test:simulation -- --commands=10000000 --seed=7
//   npm run test:simulation -- --store=zookeeper --commands=1000000
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FILES = { redis: ['two-nodes', 'three-nodes'], zookeeper: ['zookeeper'] }
const { values: { store, commands, seed } } = parseArgs({
  options: {
    store: { type: 'string', default: 'redis' },
    commands: { type: 'string', default: '10000000' },
    seed: { type: 'string' }
  }
})
const files = FILES[store]
const args = ['run', '--disable-coverage', '--timeout=0', '--reporter=tap', '--jobs=2',
  ...files.map((name) => `test/simulation/${name}.test.ts`)]
const env = {
  ...process.env,
  SIMULATION_COMMANDS: String(Math.ceil(Number(commands) / files.length)),
  ...seed && { SIMULATION_SEED: seed }
}
const tap = spawn(process.execPath, [`${ROOT}node_modules/tap/dist/esm/run.mjs`, ...args], { cwd: ROOT, env, stdio: 'inherit' })
tap.once('exit', (code) => { process.exitCode = code ?? 1 })
