// Makes a fresh clone ready, with node and npm only. Does nothing if nothing has changed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a command in the project's folder, and ends this process with its exit code if it fails. */
export function run (command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0))
}

/** TypeScript 7 compiles in a sixth of the time; tools that need the interface of the compiler use 6. */
export const TSC = 'node_modules/typescript7/lib/tsc.js'

/** Holds the fingerprint of the sources of `dist`, and of the compiler's own record beside it. */
const BUILT = `${root}dist/built.sha256`
const RECORD = 'dist/tsconfig.tsbuildinfo'
const SOURCES = ['demo', 'lib', 'types']
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json']

// Stdout belongs to the caller: `npm pack --json` writes there.
const TO_STDERR = { stdio: ['inherit', process.stderr, process.stderr] }

/** @param options options of the compiler */
export function prepare (...options) {
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (isInstallStale()) run('npm', ['ci', '--include=dev', ...quietly], TO_STDERR)
  if (isBuildStale()) build('--incremental', ...options)
}

export function build (...options) {
  run(process.execPath, [TSC, ...options], TO_STDERR)
  writeFileSync(BUILT, fingerprint())
}

/** Even if nothing has changed, the compiler needs seconds to find out. */
function isBuildStale () {
  return !existsSync(BUILT) || readFileSync(BUILT, 'utf8') !== fingerprint()
}

function fingerprint () {
  const sources = SOURCES.flatMap((folder) => readdirSync(root + folder, { recursive: true })
    .map((path) => `${folder}/${path}`).filter((path) => path.endsWith('.ts')))
  const hash = createHash('sha256')
  // The compiler changes its record if it runs without this script.
  for (const path of [...SETTINGS, RECORD, ...sources.sort()].filter((path) => existsSync(root + path))) {
    hash.update(`${path}\0`).update(readFileSync(root + path)).update('\0')
  }
  return hash.digest('hex')
}

// npm writes this file last, so its date is that of the last complete install.
function isInstallStale () {
  // `npm ci` would empty the folder of another checkout behind the link.
  if (lstatSync(`${root}node_modules`, { throwIfNoEntry: false })?.isSymbolicLink()) return false
  const installed = `${root}node_modules/.package-lock.json`
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(`${root}package-lock.json`).mtimeMs
}
