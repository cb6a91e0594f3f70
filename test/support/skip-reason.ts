import { accessSync, constants } from 'node:fs'

/**
 * Why a test that needs a program cannot run here, for tap's `skip`; `false` where it can. With CI=true the test runs
 * and fails instead: there, what is missing is a defect of the set-up.
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
