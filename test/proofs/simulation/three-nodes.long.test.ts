import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { simulate } from './simulate.js'

t.setTimeout(0)
t.test('whatever happens to three nodes, one room is on one of them', async (t) => await simulate(t, 3, 'redis', { seconds: SECONDS }))
