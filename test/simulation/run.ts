import { command, execute, healAll, secondsToMeet } from './commands.js'
import { World } from './world.js'
import fc from 'fast-check'
import type { Command } from './commands.js'

export interface Plan {
  nodes: number
  gateways: number
  rooms: number
  commands: Command[]
  /** Of `Math.random`, which chooses among nodes. */
  seed: number
  /** A node that stays cut off when all else heals. */
  staysCut: number | undefined
}

export const plan: fc.Arbitrary<Plan> = fc.record({
  nodes: fc.integer({ min: 2, max: 3 }),
  gateways: fc.constant(2),
  rooms: fc.integer({ min: 1, max: 2 }),
  commands: fc.array(command, { minLength: 1, maxLength: 300, size: 'max' }),
  seed: fc.integer(),
  staysCut: fc.option(fc.nat({ max: 1 }), { nil: undefined, freq: 2 })
})

/** Seconds after the last fault within which everybody has to be together: settling, a lease and some asking. */
const MEET_WITHIN = 45

export interface Outcome {
  commands: number
  broken: string[]
  meetingSeconds: number | undefined
}

export async function run ({ nodes, gateways, rooms, commands, seed, staysCut }: Plan): Promise<Outcome> {
  const random = Math.random
  Math.random = mulberry32(seed)
  try {
    const world = new World({ nodes, gateways, rooms })
    await world.start()
    let count = 0
    for (const command of commands) {
      if (await execute(world, command)) count++
      if (world.judge.broken.length > 0) return { commands: count, broken: world.judge.broken, meetingSeconds: undefined }
    }
    await healAll(world, staysCut)
    const meetingSeconds = await secondsToMeet(world, MEET_WITHIN)
    const { broken } = world.judge
    if (meetingSeconds === undefined) broken.push(`${staysCut === undefined ? 'MEET' : 'MEETCUT'} not within ${MEET_WITHIN} s`)
    return { commands: count, broken, meetingSeconds }
  } finally {
    Math.random = random
  }
}

/** A small generator whose numbers repeat with its seed. */
function mulberry32 (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
