import t from 'tap'
import { simulate } from './simulate.js'

const commands = Number(process.env.SIMULATION_COMMANDS ?? 1000)

t.setTimeout(0)
t.test('two nodes on ZooKeeper – random faults – a room is on one node at a time', async (t) => await simulate(t, 2, 'zookeeper', { commands }))
