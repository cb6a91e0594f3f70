// `npm run test:long`: what takes minutes, the files named *.long.test.ts.
//
//   npm run test:long                              all of them, in about an hour
//   npm run test:long -- --minutes=10              in about ten minutes
//   npm run test:long -- --minutes=30 race soak    those whose path holds one of the words
//   npm run test:long -- --seed=7                  with the choices of an earlier run
import { spawn } from 'node:child_process'
import { createWriteStream, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepare, root } from '../../.ci/prepare.mjs'
import { failuresOf, filesOf, totalsOf, toText } from './tap-output.mjs'

/** Files that measure, or need both cores: they run alone. All others run two at a time. */
const ALONE = ['test/proofs/race', 'test/proofs/overload']
/** Files that run for a given time; the others take about this many seconds. */
const ENDLESS = [
  'test/proofs/race', 'test/proofs/simulation', 'test/proofs/mutations', 'test/proofs/soak', 'test/testing/conformance'
]
const SECONDS_OF_OTHERS = 60
const FEWEST_SECONDS = 20

const isIn = (folders) => (file) => folders.some((folder) => file.startsWith(`${folder}/`))
const isAlone = isIn(ALONE)
const isEndless = isIn(ENDLESS)

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) }
  }
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes > 0) || !Number.isInteger(seed)) throw new TypeError('--minutes is a number above 0, --seed a whole number')

const files = readdirSync(join(root, 'test'), { recursive: true })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.long.test.ts') && (words.length === 0 || words.some((word) => path.includes(word))))
if (files.length === 0) throw new TypeError(`no *.long.test.ts has one of these in its path: ${words.join(' ')}`)

prepare()
const seconds = secondsOfEach()
const folder = mkdtempSync(join(tmpdir(), 'test-long-'))
console.log(`TEST_SEED=${seed}, ${seconds} s for each of the endless ones; what is found goes to ${folder}`)
const { output, code } = await runTap()
report()

/**
 * Shares the minutes out: a file that runs beside another costs half of its time, and one that runs alone all of it.
 */
function secondsOfEach () {
  const cost = (file) => isAlone(file) ? 1 : 0.5
  const sum = (list) => list.reduce((total, file) => total + cost(file), 0)
  const left = minutes * 60 - SECONDS_OF_OTHERS * sum(files.filter((file) => !isEndless(file)))
  return Math.max(FEWEST_SECONDS, Math.floor(left / Math.max(1, sum(files.filter(isEndless)))))
}

async function runTap () {
  const args = ['--reporter=tap', '--jobs=2', '--timeout=0', ...ALONE.map((path) => `--serial=${path}`)]
  const tap = spawn(process.execPath, [join(root, 'node_modules/tap/dist/esm/run.mjs'), ...args, ...files], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TEST_SEED: String(seed), TEST_SECONDS: String(seconds), TEST_FOUND: folder }
  })
  const end = (signal) => process.kill(-tap.pid, signal)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(signal))
  // A test that hangs is a failure, not an endless wait.
  const timer = setTimeout(() => end('SIGKILL'), (minutes * 2 + 10) * 60_000)
  const log = createWriteStream(join(folder, 'output.tap'))
  let output = ''
  tap.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    log.write(text)
    for (const line of text.match(/^(?:not )?ok \d+ - \S+/gm) ?? []) console.log(line)
  })
  const code = await new Promise((resolve) => tap.once('close', resolve))
  clearTimeout(timer)
  return { output, code }
}

function report () {
  const failures = failuresOf(output)
  if (failures !== '') console.log(`\nWhat failed:\n${failures}`)
  console.log()
  const done = filesOf(output)
  for (const { file, isGood, seconds, comments } of done) {
    console.log(`${isGood ? 'ok    ' : 'FAILED'} ${String(Math.round(seconds)).padStart(5)} s  ${file}`)
    for (const comment of comments) console.log(`                ${comment.slice(0, 200)}`)
  }
  const missing = files.filter((file) => !done.some((other) => other.file === file))
  for (const file of missing) console.log(`FAILED      -    ${file}: it did not end`)
  const totals = totalsOf(output) ?? { passed: 0, failed: missing.length, skipped: 0 }
  console.log(`\nTEST_SEED=${seed}; all that was printed, and what was found: ${folder}\n${toText(totals)}`)
  process.exitCode = code === 0 && missing.length === 0 ? 0 : 1
}
