// Runs the test files as tap's own command does, in less time: without the loaders of tap's plugins, since
// test/support/typescript.mjs compiles, with many small files in one process, and in an order that leaves no core idle.
// Prints TAP.
//
// Many tests hold times: a lease, a deadline. Beside other files a slow machine misses one now and then. So the few
// processes that fail run once more when the others have ended, one at a time; that result counts, and is said.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { t } from 'tap'
import { root } from '../../.ci/prepare.mjs'
import { createReport } from './report.mjs'
import { runProcess } from './run-process.mjs'

const { tap: settings } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const ARGUMENTS = settings['node-arg']
const SHARED = 'test/runner/together/run.mjs'

/** Long files start first, since a long one that starts last would run alone. Each has a process of its own. */
const FIRST = [
  'test/system/package.test.ts', 'test/testing/conformance/conformance.test.ts', 'test/demo/demo.test.ts',
  'test/cli/operations.test.ts',
  'test/zookeeper-client/sessions.test.ts', 'test/registry/zookeeper/listed.test.ts', 'test/examples/relay-java.test.ts',
  'test/examples/relay-python.test.ts', 'test/registry/zookeeper/faults.test.ts', 'test/registry/redis/damage.test.ts',
  'test/registry/redis/fail-over.test.ts', 'test/registry/redis/epoch.test.ts', 'test/demo/handshakes.test.ts',
  'test/registry/zookeeper/registrations.test.ts', 'test/registry/redis.test.ts', 'test/cli/check-node.test.ts'
]

/**
 * Folders and files whose tests need little: those of one line run one after the other in one process. A process of its
 * own costs a small file more CPU than its tests.
 */
const TOGETHER = [
  ['test/gateway'],
  ['test/http'],
  ['test/node'],
  ['test/relay'],
  ['test/recorder', 'test/replayer'],
  ['test/provision', 'test/sessions'],
  ['test/common', 'test/signing', 'test/runner', 'test/support', 'test/errors.test.ts', 'test/options.test.ts', 'test/random-id.test.ts'],
  ['test/registry/membership', 'test/registry/memory', 'test/registry/nodes', 'test/registry/closed.test.ts', 'test/registry/memory.test.ts'],
  ['test/testing/contracts'],
  ['test/monitoring', 'test/deploy'],
  ['test/cli'],
  ['test/registry/redis', 'test/redis-client'],
  ['test/registry/zookeeper', 'test/zookeeper-client'],
  ['test/admin', 'test/client'],
  ['test/replayer'],
  ['test/demo/app.test.ts', 'test/demo/authorization.test.ts', 'test/demo/env.test.ts', 'test/demo/log-stream.test.ts',
    'test/demo/probes.test.ts', 'test/demo/relay.test.ts'],
  ['test/proofs/mutations', 'test/proofs/simulation/judge.test.ts', 'test/proofs/simulation/plans.test.ts'],
  ['test/system/architecture.test.ts', 'test/system/ci.test.ts', 'test/system/doc-tables.test.ts',
    'test/system/docs.test.ts', 'test/system/doc-examples.test.ts', 'test/system/host.test.ts',
    'test/system/layers.test.ts', 'test/system/otel.test.ts', 'test/system/plugin.test.ts',
    'test/system/release.test.ts', 'test/examples/manifests.test.ts']
]

/** Threads that use or await a core. On an idle machine, one run is seldom above. */
const MOST_RUNNABLE = 4 * availableParallelism()
const LOOK_AGAIN_MS = 200
let running = 0
const report = createReport(t)

const isBelow = (paths) => (file) => paths.some((path) => file === path || file.startsWith(`${path}/`))
const isHeavy = isBelow(settings.serial)

// The command of tap sets this timeout for the tests, which otherwise have 30 s.
const env = { ...process.env, TAP_TIMEOUT: String(settings.timeout) }

t.setTimeout(0)
const files = filesOfTest()
const heavy = files.filter(isHeavy).map(alone)
const light = toProcesses(files.filter((file) => !isHeavy(file)))
// One heavy file runs at a time, with light ones beside it.
const besides = Array.from({ length: settings.jobs - 1 }, async () => await runAll(light))
await Promise.all([runAll(heavy).then(() => runAll(light)), ...besides])
await report.end(async (files) => await runInOneProcess(files))

function filesOfTest () {
  return readdirSync(`${root}test`, { recursive: true })
    .map((path) => `test/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('.long.test.ts'))
    .sort()
}

/** Splits files into those that share a process. Processes that take long come first. */
function toProcesses (files) {
  const first = files.filter((file) => FIRST.includes(file))
  const shared = TOGETHER.map((paths) => files.filter(isBelow(paths)).filter((file) => !FIRST.includes(file)))
  const others = files.filter((file) => !FIRST.includes(file) && !shared.flat().includes(file))
  return [...first.map(alone), ...shared, ...others.map(alone)]
}

function alone (file) {
  return [file]
}

/** Takes the files of one process after the other from a list shared with other workers. */
async function runAll (left) {
  for (let files = left.shift(); files !== undefined; files = left.shift()) {
    await untilCoresAreFree()
    running++
    await report.add(files, await runInOneProcess(files))
    running--
  }
}

async function runInOneProcess (files) {
  const program = files.length === 1 ? files[0] : SHARED
  return await runProcess([...ARGUMENTS, program], { ...env, TEST_FILES: files.join(' ') }, settings.timeout * 1000)
}

/** The tests keep their times on a busy machine, but not if it has many times more to do than it can. */
async function untilCoresAreFree () {
  const isBusy = () => running > 0 && runnable() > MOST_RUNNABLE
  while (isBusy()) await sleep(LOOK_AGAIN_MS)
}

/** The average load of a minute tells nothing here: it stays high while all wait for it to fall. */
function runnable () {
  // Only Linux tells.
  if (!existsSync('/proc/loadavg')) return 0
  return Number.parseInt(readFileSync('/proc/loadavg', 'utf8').split(' ')[3])
}
