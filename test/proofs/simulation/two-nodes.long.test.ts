import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { simulate } from './simulate.js'

t.setTimeout(0)
t.test('whatever happens to two nodes, one room is on one of them', async (t) => await simulate(t, 2, 'redis', { seconds: SECONDS }))
