import t from 'tap'
import { createCohort } from '../../lib/common/cohort.js'

const turn = async () => await new Promise((resolve) => { setImmediate(resolve) })

t.test('steps – of one turn – run in their order at its end, before what they cause', async (t) => {
  const runs: string[] = []
  const delay = createCohort()
  for (const name of ['a', 'b']) {
    delay(() => {
      runs.push(name)
      Promise.resolve().then(() => runs.push(`after ${name}`)).catch(t.threw)
      if (name === 'a') delay(() => runs.push('next turn'))
    })
  }
  t.strictSame(runs, [])
  await turn()
  t.strictSame(runs, ['a', 'b', 'after a', 'after b'])
  await turn()
  t.strictSame(runs.slice(4), ['next turn'])
})

t.test('a step that throws – leaves the others, and the exception to the process', async (t) => {
  const runs: number[] = []
  const delay = createCohort()
  const thrown = t.captureFn(() => {})
  process.once('uncaughtException', thrown)
  for (let number = 0; number < 3; number++) {
    delay(() => {
      runs.push(number)
      if (number === 1) throw new Error('of the second')
    })
  }
  await turn()
  await turn()
  t.strictSame(runs, [0, 1, 2])
  t.match(thrown.calls, [{ args: [{ message: 'of the second' }] }])
})
