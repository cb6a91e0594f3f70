import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { newFolderOf } from '../../support/long.js'
import { SEED } from '../../support/seed.js'
import { check } from './checker.mjs'
import { readHistory } from './history.mjs'
import { runRace } from './race.js'
import type { Test } from 'tap'
import type { Extent } from './race.js'
import type { Store } from './store.js'

export interface RaceTest {
  skip: string | false
  startStore (t: Test): Promise<Store>
  extent: Extent
}

/** Runs a race and checks it. The folder with its history is kept if it shows a violation. */
export function testRace (t: Test, name: string, { skip, startStore, extent }: RaceTest): void {
  t.test(`a race on ${name} – any faults – splits no room, and clients that met stay together`, {
    skip, timeout: 250_000 + extent.seconds * 2000
  }, async (t) => {
    t.comment(`TEST_SEED=${SEED}`)
    const folder = newFolderOf('race')
    await runRace(t, { startStore, folder, extent, seed: SEED })
    const { violations, summary } = check(readHistory(folder), JSON.parse(readFileSync(join(folder, 'race.json'), 'utf8')))
    for (const [name, value] of Object.entries(summary)) t.comment(`${name}: ${JSON.stringify(value)}`)
    t.strictSame(violations.slice(0, 10), [], `see ${folder}`)
    if (violations.length === 0) rmSync(folder, { recursive: true })
  })
}
