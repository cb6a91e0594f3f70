// The race, as long as one likes.
//
//   npm run test:race -- --rooms=200000 --seed=7
//   npm run test:race -- --store=zookeeper --servers=1
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const { values: { store, servers, rooms, seed } } = parseArgs({
  options: {
    store: { type: 'string', default: 'redis' },
    servers: { type: 'string' },
    rooms: { type: 'string' },
    seed: { type: 'string' }
  }
})
const args = ['run', '--disable-coverage', '--timeout=0', '--reporter=tap', `test/race/${store}.test.ts`]
const env = {
  ...process.env,
  ...servers && { RACE_SERVERS: servers },
  ...rooms && { RACE_ROOMS: rooms },
  ...seed && { RACE_SEED: seed }
}
const tap = spawn(process.execPath, [`${ROOT}node_modules/tap/dist/esm/run.mjs`, ...args], { cwd: ROOT, env, stdio: 'inherit' })
tap.once('exit', (code) => { process.exitCode = code ?? 1 })
