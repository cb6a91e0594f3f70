import { spawn } from 'node:child_process'
import { root } from '../../.ci/prepare.mjs'

/**
 * Runs a test process to its end.
 *
 * @param {string[]} args of node
 * @param {NodeJS.ProcessEnv} env
 * @param {number} limitMs after which it is killed
 * @returns {Promise<{ output: string, fault?: string }>} its TAP, and how it ended if not with 0
 */
export async function runProcess (args, env, limitMs) {
  const child = spawn(process.execPath, args, {
    cwd: root, env: { ...env, TAP: '1' }, stdio: ['ignore', 'pipe', 'inherit'], timeout: limitMs, killSignal: 'SIGKILL'
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => { output += text })
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (...end) => resolve(end))
  })
  if (signal !== null) return { output, fault: `was ended by ${signal}, after at most ${limitMs / 1000} s` }
  return code === 0 ? { output } : { output, fault: `ended with ${code}` }
}
