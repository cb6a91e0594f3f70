// `npm test`: makes a fresh clone ready, then runs everything. Arguments go to tap: `npm test -- test/host.test.ts`.
import { accessSync, constants, existsSync } from 'node:fs'
import { prepare, root, run } from '../.ci/prepare.mjs'

const tool = (path, ...args) => run(process.execPath, [`${root}node_modules/${path}`, ...args])

prepare()
ensureServers()
tool('eslint/bin/eslint.js', '.')
tool('typescript/bin/tsc', '-p', 'lib/client')
tool('typescript/bin/tsc', '--noEmit', '-p', 'test')
tool('tstyche/build/bin.js')
tool('publint/src/cli.js', '--strict')
tool('@arethetypeswrong/cli/dist/index.js', '--pack', '.', '--profile', 'esm-only')
tool('tap/dist/esm/run.mjs', ...process.argv.slice(2))

// Elsewhere the tests that need a server are skipped, and say so.
function ensureServers () {
  const isRootOnDebian = process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get')
  const missing = [
    ['/usr/bin/redis-server', 'redis-server'],
    ['/usr/bin/javac', 'default-jdk-headless'],
    ['/usr/bin/java', 'default-jre-headless'],
    ['/usr/share/java/zookeeper.jar', 'zookeeper'],
    ['/usr/bin/chromium', 'chromium']
  ].filter(([path]) => !existsSync(path)).map(([, name]) => name)
  if (!isRootOnDebian || missing.length === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], { env })
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env })
}

function isExecutable (path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
