// Runs the test files as tap's own command does, in less time: without the loaders of tap's plugins, since
// test/support/typescript.mjs compiles, and in an order that leaves no core idle. Prints TAP.
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { t } from 'tap'
import { root } from '../../.ci/prepare.mjs'

const { tap: settings } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const ARGUMENTS = ['--enable-source-maps', ...settings['node-arg']]

/** Long files start first, since a long one that starts last would run alone. */
const FIRST = [
  'test/system/package.test.ts', 'test/testing/conformance/conformance.test.ts', 'test/demo/demo.test.ts',
  'test/cli/operations.test.ts',
  'test/zookeeper-client/sessions.test.ts', 'test/registry/zookeeper/listed.test.ts', 'test/examples/relay-java.test.ts',
  'test/examples/relay-python.test.ts', 'test/registry/zookeeper/faults.test.ts', 'test/registry/redis/damage.test.ts',
  'test/registry/redis/fail-over.test.ts', 'test/registry/redis/epoch.test.ts', 'test/demo/handshakes.test.ts',
  'test/registry/zookeeper/registrations.test.ts', 'test/registry/redis.test.ts', 'test/cli/check-node.test.ts'
]

/** Processes that use or await a core, on average of a minute. On an idle machine, the files of one run stay below. */
const MOST_LOAD = 3 * availableParallelism()
const LOOK_AGAIN_MS = 1000
let running = 0

const isBelow = (paths) => (file) => paths.some((path) => file === path || file.startsWith(`${path}/`))
const isHeavy = isBelow(settings.serial)

// The command of tap sets this timeout for the tests, which otherwise have 30 s.
const env = { ...process.env, TAP_TIMEOUT: String(settings.timeout) }

t.jobs = settings.jobs
t.setTimeout(0)
const files = filesOfTest()
const heavy = files.filter(isHeavy)
const light = files.filter((file) => !isHeavy(file))
light.sort((one, other) => Number(FIRST.includes(other)) - Number(FIRST.includes(one)))
// One heavy file runs at a time, with light ones beside it.
await Promise.all([runAll(heavy).then(() => runAll(light)), ...Array.from({ length: t.jobs - 1 }, () => runAll(light))])

function filesOfTest () {
  return readdirSync(`${root}test`, { recursive: true })
    .map((path) => `test/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('.long.test.ts'))
    .sort()
}

/** Takes one file after the other from a list shared with other workers. */
async function runAll (left) {
  for (let file = left.shift(); file !== undefined; file = left.shift()) {
    const options = { cwd: root, env, buffered: true, timeout: settings.timeout * 1000, externalID: file }
    await untilCoresAreFree()
    running++
    await t.spawn(process.execPath, [...ARGUMENTS, file], options, file)
    running--
  }
}

/** The tests keep their times on a busy machine, but not if it has many times more to do than it can. */
async function untilCoresAreFree () {
  const isBusy = () => running > 0 && loadavg()[0] > MOST_LOAD
  while (isBusy()) await sleep(LOOK_AGAIN_MS)
}
