import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { simulate } from './simulate.js'

t.setTimeout(0)
t.test('three nodes – random faults – a room is on one node at a time', async (t) => await simulate(t, 3, 'redis', { seconds: SECONDS }))
