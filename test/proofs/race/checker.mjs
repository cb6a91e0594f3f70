// Checks the history of a race for violations.
//
//   node test/proofs/race/checker.mjs /tmp/race-…
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readHistory } from './history.mjs'
import { createFaults } from './faults.mjs'
import { findApart } from './judge-apart.mjs'
import { findEnded } from './judge-ended.mjs'
import { findLate, findReused } from './judge-admissions.mjs'
import { findSplits } from './judge-splits.mjs'
import { createMoves } from './moves.mjs'
import { createPromises } from './promises.mjs'
import { summarize } from './summary.mjs'

/**
 * @typedef {{ rule: string, what: string, lines: import('./history.mjs').Line[] }} Violation
 * @typedef {Pick<import('./settings.js').Settings, 'lease' | 'heartbeat' | 'patience' | 'linger' | 'signing'>} Judged
 */

/**
 * @param {import('./history.mjs').Line[]} history lines in order of time
 * @param {{ rooms: number, moves?: number, faults: readonly string[], settings: Judged, mayLapse?: boolean }} race
 *   its extent: `faults` are their kinds, the numbers are minimums
 * @returns {{ violations: Violation[], summary: Record<string, number | Record<string, number>> }}
 */
export function check (history, race) {
  const { settings } = race
  const facts = {
    history,
    settings,
    promises: createPromises(history),
    faults: createFaults(history, settings),
    moves: createMoves(history)
  }
  const violations = [
    ...findMissing(history, race),
    ...findDefects(history),
    ...race.mayLapse === true ? [] : findLapses(facts),
    ...findSplits(facts),
    ...findReused(facts),
    ...findLate(facts),
    ...findEnded(facts),
    ...findApart(facts)
  ]
  return { violations, summary: summarize(facts, violations) }
}

/** A race without events proves nothing. */
function findMissing (history, { rooms, faults, moves = 0 }) {
  const missing = []
  const demand = (is, what) => { if (!is) missing.push({ rule: 'RACE', what, lines: [] }) }
  const count = (wanted) => history.filter(({ what }) => what === wanted).length
  for (const what of ['signed', 'admitted', 'inside', 'together', 'promised']) {
    demand(count(what) > 0, `the history is empty: nothing was ${what}`)
  }
  const injected = new Set(history.flatMap(({ what, phase, fault }) => what === 'fault' && phase === 'end' ? fault : []))
  for (const fault of faults) demand(injected.has(fault), `there was no ${fault}`)
  const moved = history.filter(({ what, outcome }) => what === 'moved' && outcome !== 'unbound').length
  demand(moved >= moves, `${moved} rooms were moved, and ${moves} asked for`)
  demand(count('done') >= rooms, `${count('done')} rooms were completed, and ${rooms} asked for`)
  return missing
}

/** Many violations are excused after a lapse, so lapses without a fault are limited. */
function findLapses ({ faults }) {
  const lapses = faults.lapsesWithoutReason()
  const what = `${lapses.length} leases lapsed without a fault`
  return lapses.length > Math.max(3, faults.injected.length) ? [{ rule: 'RACE', what, lines: [] }] : []
}

function findDefects (history) {
  const rules = {
    defect: 'a process failed',
    'gave-up': 'the two sides did not meet',
    replaced: 'a node was replaced, though no other process has its id'
  }
  return history.filter(({ what }) => Object.hasOwn(rules, what))
    .map((line) => ({ rule: line.what.toUpperCase(), what: rules[line.what], lines: [line] }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2]
  const race = JSON.parse(readFileSync(join(folder, 'race.json'), 'utf8'))
  const { violations, summary } = check(readHistory(folder), race)
  for (const [name, value] of Object.entries(summary)) console.log(`${name}: ${JSON.stringify(value)}`)
  for (const { rule, what, lines } of violations) {
    console.log(`\n${rule}: ${what}`)
    for (const line of lines) console.log(`  ${JSON.stringify(line)}`)
  }
  process.exitCode = violations.length > 0 ? 1 : 0
}
