// Makes a fresh clone ready, with node and npm alone. Does nothing where nothing changed.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a command in the project's folder, and ends this process with it where it fails. */
export function run (command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0))
}

export function prepare () {
  if (isInstallStale()) run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
  run(process.execPath, ['node_modules/typescript/bin/tsc', '--incremental'])
}

// npm writes this file last, so it is as old as the last install that ended.
function isInstallStale () {
  const installed = `${root}node_modules/.package-lock.json`
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(`${root}package-lock.json`).mtimeMs
}
