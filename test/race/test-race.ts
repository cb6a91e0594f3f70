import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './checker.mjs'
import { readHistory } from './history.mjs'
import { runRace } from './race.js'
import type { Test } from 'tap'
import type { Store } from './store.js'

/** Milliseconds that a race takes with all its faults, and that a room may take. */
const LEAST_MS = 280_000
const ROOM_MS = 20

export interface RaceTest {
  skip: string | false
  /** Where no environment variable says another number. */
  rooms: number
  startStore (t: Test): Promise<Store>
}

export function testRace (t: Test, name: string, { skip, startStore, ...given }: RaceTest): void {
  const rooms = Number(process.env.RACE_ROOMS ?? given.rooms)
  const seed = Number(process.env.RACE_SEED ?? Date.now() % 2 ** 32)
  t.test(`on ${name}, whatever fails, no room is split, and those who are together stay together`, {
    skip, timeout: Math.max(LEAST_MS, rooms * ROOM_MS)
  }, async (t) => {
    t.comment(`seed ${seed}`)
    const folder = await runRace(t, { startStore, rooms, seed })
    const { violations, summary } = check(readHistory(folder), JSON.parse(readFileSync(join(folder, 'race.json'), 'utf8')))
    for (const [name, value] of Object.entries(summary)) t.comment(`${name}: ${JSON.stringify(value)}`)
    t.strictSame(violations.slice(0, 10), [], `see ${folder}`)
    if (process.env.RACE_KEEP === undefined && violations.length === 0) rmSync(folder, { recursive: true })
  })
}
