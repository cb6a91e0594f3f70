import t from 'tap'
import { simulate } from './simulate.js'

const commands = Number(process.env.SIMULATION_COMMANDS ?? 5000)

t.setTimeout(0)
t.test('whatever happens to two nodes, one room is on one of them', async (t) => await simulate(t, 2, 'redis', { commands }))
