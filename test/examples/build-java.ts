import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ROOT } from '../support/doc-blocks.js'

const execute = promisify(execFile)

/** These options halve the CPU of a program that runs for seconds. */
const SHORT_LIVED = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']

/**
 * Compiles files of an example.
 *
 * @param classes folder of the compiled files
 * @returns the arguments of `java`
 */
export async function buildJava (
  folder: string, files: string[], classes: string, jars: string[] = []
): Promise<string[]> {
  const path = [classes, ...jars].join(':')
  const args = [...SHORT_LIVED.map((option) => `-J${option}`), '-proc:none', '-d', classes, '-cp', path, ...files]
  await execute('javac', args, { cwd: `${ROOT}examples/${folder}` })
  return [...SHORT_LIVED, '-cp', path, 'Relay']
}
