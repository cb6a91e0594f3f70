import t from 'tap'
import { simulate } from './simulate.js'

const commands = Number(process.env.SIMULATION_COMMANDS ?? 2000)

t.setTimeout(0)
t.test('three nodes – random faults – a room is on one node at a time', async (t) => await simulate(t, 3, 'redis', { commands }))
