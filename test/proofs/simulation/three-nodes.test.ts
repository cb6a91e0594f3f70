import t from 'tap'
import { simulate } from './simulate.js'

const commands = Number(process.env.SIMULATION_COMMANDS ?? 5000)

t.setTimeout(0)
t.test('whatever happens to three nodes, one room is on one of them', async (t) => await simulate(t, 3, 'redis', { commands }))
