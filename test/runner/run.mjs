// `npm test`: prepares a fresh clone, then runs everything but test:long. Any arguments go to tap instead: `npm test --
// test/system/host.test.ts`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants as modes, existsSync, rmSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { prepare, root, run, TSC } from '../../.ci/prepare.mjs'
import { buildForScriptTag } from '../../.ci/script-tag.mjs'

const { PRIORITY_NORMAL } = constants.priority
/** A third of the time of a core that others use. At the lowest priority, a program that never rests leaves nothing. */
const PRIORITY_BESIDE = 5
const TAP = `${root}node_modules/tap/dist/esm/run.mjs`

const CHECKS = {
  types: [TSC, '--noEmit', '-p', 'test'],
  'types of the client': [TSC, '-p', 'lib/client'],
  'types of the recorder': [TSC, '-p', 'lib/recorder'],
  'types of the replayer': [TSC, '-p', 'lib/replayer'],
  // A rejection that nothing handles ends the host's process.
  'floating promises': ['node_modules/oxlint/bin/oxlint', '--type-aware', 'lib'],
  'package.json': ['node_modules/publint/src/cli.js', '--strict'],
  'compiled tests': ['test/runner/compile.mjs'],
  'types of the package': ['node_modules/@arethetypeswrong/cli/dist/index.js', '--pack', '.', '--profile', 'esm-only']
}
/** They take what the tests leave of the cores, since many tests wait for most of their time. */
const SLOW_CHECKS = {
  lint: ['node_modules/eslint/bin/eslint.js', '.'],
  'tests of types': ['node_modules/tstyche/build/bin.js']
}

// The second check is that of all types.
prepare('--noCheck')
ensureServers()
// package.json names the file.
await buildForScriptTag()
await checkAll(CHECKS, 2, PRIORITY_NORMAL, tell)
if (process.exitCode) process.exit()
const results = []
const slowChecks = checkAll(SLOW_CHECKS, 1, PRIORITY_BESIDE, (result) => results.push(result))
console.log(`TEST_SEED=${process.env.TEST_SEED ?? 1}`)
const given = process.argv.slice(2)
if (given.length > 0) await runTests([TAP, ...given])
else await runAllTests()
await slowChecks
results.forEach(tell)

async function runAllTests () {
  // On a terminal, tap formats the results as for its own runs.
  const isTerminal = process.stdout.isTTY === true
  const tests = start([`${root}test/runner/all.mjs`], ['ignore', isTerminal ? 'pipe' : 'inherit', 'inherit'])
  const children = isTerminal ? [tests, start([TAP, '-'], [tests.stdout, 'inherit', 'inherit'])] : [tests]
  await allToEnd(children)
}

async function runTests (args) {
  await allToEnd([start(args, 'inherit')])
}

function start (args, stdio) {
  return spawn(process.execPath, args, { cwd: root, stdio })
}

async function allToEnd (children) {
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]))
  if (codes.some((code) => code !== 0)) process.exitCode = 1
}

async function checkAll (checks, atOnce, priority, onResult) {
  const left = Object.entries(checks)
  const checkOneAfterTheOther = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) onResult(await check(priority, ...next))
  }
  await Promise.all(Array.from({ length: atOnce }, checkOneAfterTheOther))
}

async function check (priority, name, [path, ...args]) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [`${root}${path}`, ...args], { cwd: root })
  setPriority(child.pid, priority)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { output += text })
  const [code] = await once(child, 'close')
  return { name, seconds: (performance.now() - startedAt) / 1000, isGood: code === 0, output }
}

function tell ({ name, seconds, isGood, output }) {
  console.log(`${(isGood ? 'ok' : 'not ok').padEnd(6)} ${seconds.toFixed(1).padStart(5)} s  ${name}`)
  if (isGood) return
  console.log(output)
  process.exitCode = 1
}

// Installs missing servers on Debian as root; on other machines the tests that need them are skipped with a message.
function ensureServers () {
  const isRootOnDebian = process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get')
  const missing = [
    ['/usr/bin/redis-server', 'redis-server'],
    ['/usr/bin/javac', 'default-jdk-headless'],
    ['/usr/bin/java', 'default-jre-headless'],
    ['/usr/bin/python3', 'python3'],
    ['/usr/share/java/zookeeper.jar', 'zookeeper'],
    ['/usr/share/java/curator-framework.jar', 'libcurator-framework-java'],
    ['/usr/lib/python3/dist-packages/kazoo', 'python3-kazoo'],
    ['/usr/bin/chromium', 'chromium'],
    ['/usr/sbin/nginx', 'nginx'],
    ['/usr/sbin/haproxy', 'haproxy'],
    ['/usr/bin/systemd-analyze', 'systemd'],
    ['/usr/bin/openssl', 'openssl'],
    ['/usr/bin/prometheus', 'prometheus']
  ].filter(([path]) => !existsSync(path)).map(([, name]) => name)
  if (!isRootOnDebian || missing.length === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], { env })
  withoutServices(() => run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env }))
}

/** Debian starts the service of a package after its installation, unless this program forbids it. */
function withoutServices (install) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return install()
  const allow = () => rmSync(policy, { force: true })
  // A failed or cancelled installation ends this process.
  process.once('exit', allow)
  process.once('SIGINT', () => process.exit(1))
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  install()
  allow()
}

function isExecutable (path) {
  try {
    accessSync(path, modes.X_OK)
    return true
  } catch {
    return false
  }
}
