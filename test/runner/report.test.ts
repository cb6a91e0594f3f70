import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { totalsOf } from './tap-output.mjs'
import type { Test } from 'tap'

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** As outside of a test: the last line of tap is a total there. */
const OUTSIDE = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^TAP|^NODE_OPTIONS$/.test(name)))

const PROGRAMS: Record<string, string> = {
  good: "t.ok(true, 'good')",
  bad: "t.ok(true, 'still good'); t.ok(false, 'bad')",
  // The first run leaves a mark.
  unlucky: "const mark = import.meta.filename + '.mark'; const isFirst = !existsSync(mark); writeFileSync(mark, ''); t.ok(!isFirst, 'in time')",
  crashing: 't.ok(true); t.teardown(() => { process.exit(7) })',
  hanging: 't.ok(true); setInterval(() => {}, 1000)'
}

/** Runs these programs as a whole run does. */
async function runAll (t: Test, names: string[]) {
  const heading = 'import t from \'tap\'\nimport { existsSync, writeFileSync } from \'node:fs\'\n'
  const folder = t.testdir({
    ...Object.fromEntries(names.map((name, at) => [`${at}-${name}.mjs`, heading + PROGRAMS[name]])),
    'all.mjs': `import { t } from 'tap'
      import { createReport } from ${JSON.stringify(pathOf('./report.mjs'))}
      import { runProcess } from ${JSON.stringify(pathOf('./run-process.mjs'))}
      const limitOf = (file) => file.includes('hanging') ? 3000 : 60_000
      const run = async ([file]) => await runProcess([file], process.env, limitOf(file))
      const report = createReport(t)
      const names = ${JSON.stringify(names)}
      const files = names.map((name, at) => new URL(at + '-' + name + '.mjs', import.meta.url).pathname)
      await Promise.all(files.map(async (file) => await report.add([file], await run([file]))))
      await report.end(run)`
  })
  return await new Promise<{ code: number, output: string }>((resolve) => {
    execFile(process.execPath, [`${folder}/all.mjs`], { env: OUTSIDE }, (error, output) =>
      resolve({ code: Number(error?.code ?? 0), output }))
  })
}

t.test('a run – a process fails beside others and not alone – passes, and says what failed', async (t) => {
  const { code, output } = await runAll(t, ['good', 'unlucky'])
  t.equal(code, 0)
  t.strictSame(totalsOf(output), { passed: 2, failed: 0, skipped: 0 })
  t.match(output, /^# SECOND TRY of \S+\/1-unlucky\.mjs, which ended with 1 beside others:$/m)
  t.match(output, /^# +not ok 1 - in time$/m)
})

t.test('a run – a process fails alone, too – fails', async (t) => {
  for (const [name, failed] of [['bad', 1], ['crashing', 1], ['hanging', 1]] as const) {
    const { code, output } = await runAll(t, ['good', name])
    t.equal(code, 1, name)
    t.equal(totalsOf(output)?.failed, failed, name)
  }
})

t.test('a run – many processes fail – does not run them again', async (t) => {
  const { code, output } = await runAll(t, ['unlucky', 'unlucky', 'unlucky', 'unlucky', 'unlucky', 'unlucky'])
  t.equal(code, 1)
  t.strictSame(totalsOf(output), { passed: 0, failed: 6, skipped: 0 })
  t.notMatch(output, 'SECOND TRY')
})
