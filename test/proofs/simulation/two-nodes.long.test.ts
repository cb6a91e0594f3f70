import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { simulate } from './simulate.js'

t.setTimeout(0)
t.test('two nodes – random faults – a room is on one node at a time', async (t) => await simulate(t, 2, 'redis', { seconds: SECONDS }))
