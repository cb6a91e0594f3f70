import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './checker.mjs'
import { readHistory } from './history.mjs'
import { runRace } from './race.js'
import type { Test } from 'tap'
import type { Store } from './store.js'

/** Milliseconds after which no more rooms are begun in `npm test`, and that all of a race may take then. */
const LIMIT_MS = 170_000
const TIMEOUT_MS = 290_000

export interface RaceTest {
  skip: string | false
  /** Where no environment variable says another number. */
  rooms: number
  startStore (t: Test): Promise<Store>
}

export function testRace (t: Test, name: string, { skip, startStore, ...given }: RaceTest): void {
  const isLong = process.env.RACE_ROOMS !== undefined
  const rooms = Number(process.env.RACE_ROOMS ?? given.rooms)
  const limitMs = isLong ? Infinity : LIMIT_MS
  const seed = Number(process.env.RACE_SEED ?? Date.now() % 2 ** 32)
  t.test(`on ${name}, whatever fails, no room is split, and those who are together stay together`, {
    skip, timeout: isLong ? 0 : TIMEOUT_MS
  }, async (t) => {
    t.comment(`seed ${seed}`)
    const folder = await runRace(t, { startStore, rooms, limitMs, seed })
    const { violations, summary } = check(readHistory(folder), JSON.parse(readFileSync(join(folder, 'race.json'), 'utf8')))
    for (const [name, value] of Object.entries(summary)) t.comment(`${name}: ${JSON.stringify(value)}`)
    t.strictSame(violations.slice(0, 10), [], `see ${folder}`)
    if (process.env.RACE_KEEP === undefined && violations.length === 0) rmSync(folder, { recursive: true })
  })
}
