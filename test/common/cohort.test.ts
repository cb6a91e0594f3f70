import t from 'tap'
import { createCohort } from '../../lib/common/cohort.js'

const turn = async () => await new Promise((resolve) => { setImmediate(resolve) })

t.test('steps – of one turn – run in their order at its end, before what they cause', async (t) => {
  const runs: string[] = []
  const cohort = createCohort()
  for (const name of ['a', 'b']) {
    cohort.add(() => {
      runs.push(name)
      Promise.resolve().then(() => runs.push(`after ${name}`)).catch(t.threw)
      if (name === 'a') cohort.add(() => runs.push('next turn'))
    })
  }
  t.strictSame(runs, [])
  await turn()
  t.strictSame(runs, ['a', 'b', 'after a', 'after b'])
  await turn()
  t.strictSame(runs.slice(4), ['next turn'])
})

t.test('32 steps of one turn – run at once, and further ones at its end', async (t) => {
  const runs: number[] = []
  const cohort = createCohort()
  for (let number = 0; number < 31; number++) cohort.add(() => runs.push(number))
  t.strictSame([runs.length, cohort.size()], [0, 31])
  for (let number = 31; number < 33; number++) cohort.add(() => runs.push(number))
  t.strictSame([runs.length, cohort.size()], [32, 1])
  await turn()
  t.strictSame([runs.length, cohort.size()], [33, 0])
})

t.test('a step that throws – leaves the others, and the exception to the process', async (t) => {
  const runs: number[] = []
  const cohort = createCohort()
  const thrown = t.captureFn(() => {})
  process.once('uncaughtException', thrown)
  for (let number = 0; number < 3; number++) {
    cohort.add(() => {
      runs.push(number)
      if (number === 1) throw new Error('of the second')
    })
  }
  await turn()
  await turn()
  t.strictSame(runs, [0, 1, 2])
  t.match(thrown.calls, [{ args: [{ message: 'of the second' }] }])
})
