import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { relative } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { ROOT } from '../../support/doc-blocks.js'

const FILES = {
  'good.test.ts': `import t from 'tap'
    process.env.OF_GOOD = 'set'
    t.test('a good one', async (t) => t.pass())`,
  'bad.test.ts': `import t from 'tap'
    t.test('no environment of the file before', async (t) => t.equal(process.env.OF_GOOD, undefined))
    t.test('a bad one', async (t) => t.equal(1 as number, 2))`,
  'broken.test.ts': "throw new Error('as it loads')"
}

async function runTogether (folder: string, names: string[]) {
  const files = names.map((name) => relative(ROOT, `${folder}/${name}`))
  const child = spawn(process.execPath, ['--import=./test/support/typescript.mjs', 'test/runner/together/run.mjs'], {
    cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, TEST_FILES: files.join(' ') }
  })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code, output, files }
}

t.test('files in one process – one red – fail together, and name the file', async (t) => {
  const { code, output, files: [good, bad, broken] } = await runTogether(t.testdir(FILES), Object.keys(FILES))
  t.equal(code, 1)
  t.match(output, new RegExp(`^ok 1 - ${good} `, 'm'))
  t.match(output, new RegExp(`^not ok 2 - ${bad} `, 'm'))
  t.match(output, /^ {4}ok 1 - no environment of the file before/m)
  t.match(output, /^ {4}not ok 2 - a bad one/m)
  t.match(output, new RegExp(`^not ok 3 - ${broken} `, 'm'))
})

t.test('files in one process – all green – pass', async (t) => {
  const { code, output } = await runTogether(t.testdir(FILES), ['good.test.ts'])
  t.equal(code, 0)
  t.match(output, /^# \{ total: 1, pass: 1 \}$/m)
})
