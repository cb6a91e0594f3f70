// Reads the output of tap with `--reporter=tap`, and the summary that `npm run test:long` prints of it.

/** The last line of tap is `# { total: 12, pass: 10, fail: 1, skip: 1 }`, without counts of zero. */
export function totalsOf (output) {
  const last = output.match(/^# \{ total: .*\}$|^\d+ passed, \d+ failed, \d+ skipped$/gm)?.at(-1)
  if (last === undefined) return undefined
  const count = (pattern) => Number(pattern.exec(last)?.groups?.count ?? 0)
  return {
    passed: count(/pass: (?<count>\d+)/) + count(/(?<count>\d+) passed/),
    failed: count(/fail: (?<count>\d+)/) + count(/(?<count>\d+) failed/),
    skipped: count(/skip: (?<count>\d+)/) + count(/todo: (?<count>\d+)/) + count(/(?<count>\d+) skipped/)
  }
}

export const toText = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`

const LINES_OF_A_FAILURE = 40
const COLUMNS = 300

/** Collects each file that failed, and each failure in it with its diagnostics. */
export function failuresOf (output) {
  const lines = []
  let file
  let left = 0
  for (const line of output.split('\n')) {
    if (line.startsWith('# Subtest: ')) file = line
    if (/^ *not ok /.test(line)) {
      if (file !== undefined) lines.push(file)
      file = undefined
      left = LINES_OF_A_FAILURE
    } else if (/^ *(?:ok|#|1\.\.)/.test(line)) left = 0
    if (left-- > 0) lines.push(line.slice(0, COLUMNS))
  }
  return lines.join('\n')
}

/** Lists the test files of a run in order, each with its result and its comments. */
export function filesOf (output) {
  const files = []
  let comments = []
  for (const line of output.split('\n')) {
    if (/^# Subtest: /.test(line)) comments = []
    const [, comment] = /^ +# (?!Subtest|time=)(.*)/.exec(line) ?? []
    if (comment !== undefined) comments.push(comment)
    const [, not, file, ms] = /^(not )?ok \d+ - (\S+) # time=([\d.]+)ms/.exec(line) ?? []
    if (file !== undefined) files.push({ file, isGood: not === undefined, seconds: Number(ms) / 1000, comments })
  }
  return files
}
