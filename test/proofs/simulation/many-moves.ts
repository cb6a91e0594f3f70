import fc from '../../support/fast-check.js'
import { seededRandom } from '../../support/seeded-random.js'
import { commandWith, execute, healAll, pick } from './commands.js'
import { fixtureOf, FAULTS } from './run.js'
import { World } from './world.js'
import type { Command } from './commands.js'
import type { StoreName } from './run.js'

const SIZE = { nodes: 4, gateways: 2, rooms: 50 }
/** A world ends after some waves, so that its memory stays bounded. */
const WAVES = 24
/** Faults of machines and messages: they last until the end of a wave. */
const SMALL = new Set(['crash', 'pause', 'cut', 'delay', 'leave', 'reload', 'end call', 'lag', 'server down', 'clock set'])
/** After a loss of memory the store settles, which takes as long as many waves. */
const WAVES_PER_LOSS = 12

export interface ManyMoves {
  moves: number
  broken: string[]
}

/** Moves all rooms of one world at once, wave after wave, with random faults between the moves and their ends. */
export async function moveMany (store: StoreName, seed: number): Promise<ManyMoves> {
  const random = Math.random
  Math.random = seededRandom(seed)
  const world = new World(SIZE, fixtureOf(store, seed))
  const commands = fc.sample(commandWith(FAULTS[store]), { seed, numRuns: 40 * WAVES })
  const small = commands.filter(({ name }) => SMALL.has(name))
  const large = commands.filter(({ name }) => Object.hasOwn(FAULTS[store], name))
  try {
    await world.start()
    await world.timeline.advance(500)
    for (let wave = 0; wave < WAVES && world.judge.broken.length === 0; wave++) {
      await enterAll(world, wave)
      if (wave % 2 === 0) await executeAll(world, small.splice(0, 2))
      await moveAll(world, wave)
      await executeAll(world, small.splice(0, 1))
      if (wave % WAVES_PER_LOSS === WAVES_PER_LOSS - 1) await executeAll(world, large.splice(0, 1))
      await world.timeline.advance(Math.round(world.times.heartbeat * pick([0.3, 1.2, 4], wave)))
      await healAll(world)
    }
    return { moves: world.judge.moves.count, broken: world.judge.broken }
  } finally {
    world.stop()
    Math.random = random
  }
}

async function executeAll (world: World, commands: Command[]): Promise<void> {
  for (const command of commands) await execute(world, command)
}

/** Moves all rooms, a third of them to a given node. */
async function moveAll (world: World, wave: number): Promise<void> {
  for (const [at, room] of world.rooms.entries()) {
    world.move(room, pick(world.gateways, at), at % 3 === 0 ? pick(world.relays, wave + at) : undefined)
  }
  await world.timeline.flush()
}

/** Lets all clients ask and show their signatures. */
async function enterAll (world: World, turn: number): Promise<void> {
  for (const [at, client] of world.clients.entries()) {
    if (client.state === 'away') client.state = 'must ask'
    world.ask(client, pick(world.gateways, at + turn))
  }
  await world.timeline.flush()
  for (const client of world.clients) world.show(client)
  await world.timeline.flush()
}
