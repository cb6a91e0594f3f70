import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withoutRedis } from '../support/redis-server.js'
import { check } from './checker.mjs'
import { readHistory } from './history.mjs'
import { runRace } from './race.js'

const rooms = Number(process.env.RACE_ROOMS ?? 20_000)
const seed = Number(process.env.RACE_SEED ?? Date.now() % 2 ** 32)
/** As many milliseconds as this many rooms may take, and not fewer than all faults do. */
const timeout = Math.max(280_000, rooms * 20)

t.test('whatever fails, no room is split, and those who are together stay together', {
  skip: withoutRedis, timeout
}, async (t) => {
  t.comment(`seed ${seed}`)
  const folder = await runRace(t, { rooms, seed })
  const { violations, summary } = check(readHistory(folder), JSON.parse(readFileSync(join(folder, 'race.json'), 'utf8')))
  for (const [name, value] of Object.entries(summary)) t.comment(`${name}: ${JSON.stringify(value)}`)
  t.strictSame(violations.slice(0, 10), [], `see ${folder}`)
  if (process.env.RACE_KEEP === undefined && violations.length === 0) rmSync(folder, { recursive: true })
})
