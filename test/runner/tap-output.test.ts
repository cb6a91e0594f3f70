import t from 'tap'
import { failuresOf, filesOf, totalsOf } from './tap-output.mjs'

const OUTPUT = `TAP version 14
# Subtest: test/a.test.ts
    # TEST_SEED=1
    ok 1 - should be equal
    1..1
    # time=5ms
ok 1 - test/a.test.ts # time=12.5ms

# Subtest: test/b.test.ts
    not ok 1 - should be equal
      ---
      diff: 1 2
      ...
    1..1
not ok 2 - test/b.test.ts # time=1500ms
# { total: 3, pass: 1, fail: 1, skip: 1 }
`

t.test('totals of tap – printed and read again – stay the same', async (t) => {
  t.strictSame(totalsOf(OUTPUT), { passed: 1, failed: 1, skipped: 1 })
  t.strictSame(totalsOf('1 passed, 2 failed, 3 skipped\n12 passed, 0 failed, 1 skipped\n'), { passed: 12, failed: 0, skipped: 1 })
  t.strictSame(totalsOf('# { total: 12, pass: 12 }'), { passed: 12, failed: 0, skipped: 0 })
  t.equal(totalsOf('a step before the tests failed'), undefined)
})

t.test('a failure – read – is reported with its file and its diagnostics', async (t) => {
  const told = failuresOf(OUTPUT)
  t.match(told, '# Subtest: test/b.test.ts\n    not ok 1')
  t.match(told, 'diff: 1 2')
  t.notMatch(told, 'test/a.test.ts')
})

t.test('the files of a run – read – are listed with their comments', async (t) => {
  t.strictSame(filesOf(OUTPUT), [
    { file: 'test/a.test.ts', isGood: true, seconds: 0.0125, comments: ['TEST_SEED=1'] },
    { file: 'test/b.test.ts', isGood: false, seconds: 1.5, comments: [] }
  ])
})
