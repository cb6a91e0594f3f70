// `npm run test:nodes`: unit and contract tests on the other versions of Node.js that the compatibility table names.
// Arguments go to tap: `npm run test:nodes -- test/system/host.test.ts`. Each version comes from the npm registry, and
// is kept in a folder below the system's folder for temporary files.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { prepare, root, run } from '../../.ci/prepare.mjs'

const VERSIONS = ['22', '24']

/** Tests of the browser's side and long proofs, which do not depend on the version of Node.js. */
const LEFT_OUT = ['demo', 'proofs', 'testing']

prepare()
const given = process.argv.slice(2)
const files = given.some((argument) => argument.endsWith('.ts')) ? given : [...given, ...unitAndContractTests()]
const failed = VERSIONS.filter((version) => !passesOn(installNode(version)))
if (failed.length > 0) {
  console.error(`failed on Node.js ${failed.join(' and ')}`)
  process.exit(1)
}

function unitAndContractTests () {
  return readdirSync(`${root}test`, { recursive: true })
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('.long.test.ts'))
    .filter((path) => !LEFT_OUT.some((folder) => path.startsWith(join(folder, '/'))))
    .map((path) => join('test', path))
    .sort()
}

/** @returns the path of its `node` */
function installNode (version) {
  const folder = join(tmpdir(), 'fastify-cobrowse-node', version)
  const node = join(folder, 'node_modules/node/bin/node')
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    // The package's own script puts the binary in place.
    const options = ['--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error']
    run('npm', ['install', ...options, `node@${version}`], { cwd: folder })
  }
  return node
}

/** Puts this Node.js first for child processes, including npm's. */
function passesOn (node) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  spawnSync(node, ['--eval', 'console.log("# Node.js", process.version)'], { stdio: 'inherit' })
  const { status } = spawnSync(node, ['node_modules/tap/dist/esm/run.mjs', ...files], { cwd: root, env, stdio: 'inherit' })
  return status === 0
}
