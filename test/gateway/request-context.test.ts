import t from 'tap'
import { createRequestContext } from '../../lib/gateway/request-context.js'
import { elapse } from '../support/elapse.js'

t.test('a budget – ended before its time – aborts nothing', async (t) => {
  const { budget } = createRequestContext(30)
  budget.done()
  await elapse(60, 'its time is over')
  t.notOk(budget.isOver)
})
