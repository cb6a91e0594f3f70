import fc from '../../support/fast-check.js'
import { seededRandom } from '../../support/seeded-random.js'
import { commandWith, execute, healAll, secondsToMeet } from './commands.js'
import { REDIS_FAULTS, simulatedRedisFixture } from './redis-fixture.js'
import { World } from './world.js'
import { simulatedZooKeeperFixture, ZOOKEEPER_FAULTS } from './zookeeper-fixture.js'
import type { Command } from './commands.js'
import type { Fixture, Times } from './fixture.js'

/** Faults of the stores, with their weights. */
export const FAULTS = { redis: REDIS_FAULTS, zookeeper: ZOOKEEPER_FAULTS }

export type StoreName = keyof typeof FAULTS

export const fixtureOf = (store: StoreName, seed: number): Fixture =>
  store === 'redis' ? simulatedRedisFixture() : simulatedZooKeeperFixture(seed)

export interface Plan {
  store: StoreName
  nodes: number
  gateways: number
  rooms: number
  commands: Command[]
  /** Seed of `Math.random`, which chooses among nodes. */
  seed: number
  /** Node that stays cut off when all else heals. */
  staysCut: number | undefined
}

export const planOf = (nodes: number, store: StoreName): fc.Arbitrary<Plan> => fc.record({
  store: fc.constant(store),
  nodes: fc.constant(nodes),
  gateways: fc.constant(2),
  rooms: fc.integer({ min: 1, max: 2 }),
  commands: fc.array(commandWith(FAULTS[store]), { minLength: 1, maxLength: 300, size: 'max' }),
  seed: fc.integer(),
  staysCut: fc.option(fc.nat({ max: 1 }), { nil: undefined, freq: 2 })
})

/**
 * Seconds after the last fault within which all clients have to meet: settling, some leases and some requests. A room
 * that an operator moved away from the only node that is left may return to it later.
 */
function meetingLimit ({ lease, heartbeat, ttl, skew }: Times, isAnyMoved: boolean): number {
  const linger = (ttl + skew) * 1000
  const wait = isAnyMoved ? 2 * (linger + lease) : Math.max(lease, linger)
  return (wait + 2 * heartbeat + 3 * lease) / 1000 + 3
}

export interface Outcome {
  commands: number
  /** Rooms that an operator moved. */
  moves: number
  broken: string[]
  meetingSeconds: number | undefined
}

/** Called with the world after each step. */
export type Tell = (world: World, step: string) => void

export async function run (
  { store, nodes, gateways, rooms, commands, seed, staysCut }: Plan,
  { fixture = fixtureOf(store, seed), tell }: { fixture?: Fixture, tell?: Tell } = {}
): Promise<Outcome> {
  const random = Math.random
  Math.random = seededRandom(seed)
  const world = new World({ nodes, gateways, rooms }, fixture)
  try {
    await world.start()
    tell?.(world, 'started')
    let count = 0
    for (const command of commands) {
      const happened = await execute(world, command)
      if (happened) count++
      tell?.(world, `${command.name} ${command.at} ${command.how}${happened ? '' : ' (not possible)'}`)
      const { broken, moves } = world.judge
      if (broken.length > 0) return { commands: count, moves: moves.count, broken, meetingSeconds: undefined }
    }
    await healAll(world, staysCut)
    tell?.(world, 'healed')
    const { broken, moves } = world.judge
    // A move that is on its way may still arrive.
    const limit = meetingLimit(world.times, commands.some(({ name }) => name === 'move'))
    const meetingSeconds = await secondsToMeet(world, limit)
    tell?.(world, `together after ${meetingSeconds} s`)
    const invariant = staysCut === undefined ? 'I13' : 'I26'
    if (meetingSeconds === undefined) broken.push(`${invariant}: not together within ${limit} s`)
    return { commands: count, moves: moves.count, broken, meetingSeconds }
  } finally {
    world.stop()
    Math.random = random
  }
}
