import { accessSync, constants } from 'node:fs'

/**
 * Reason for the `skip` of tap if a test needs a program that is missing, else `false`. With CI=true the test runs
 * and fails instead, since a missing program is then a defect of the setup.
 */
export function skipWithout (program: string): string | false {
  const isThere = (process.env.PATH ?? '').split(':').some((folder) => isExecutable(`${folder}/${program}`))
  return isThere || process.env.CI === 'true' ? false : `${program} is not installed`
}

function isExecutable (path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
