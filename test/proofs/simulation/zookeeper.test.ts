import t from 'tap'
import { simulate } from './simulate.js'

const commands = Number(process.env.SIMULATION_COMMANDS ?? 2000)

t.setTimeout(0)
t.test('whatever happens to two nodes on ZooKeeper, one room is on one of them', async (t) => await simulate(t, 2, 'zookeeper', { commands }))
