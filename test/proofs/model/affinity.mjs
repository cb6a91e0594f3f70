// Tries every order of events under the rules that keep a room on one node, and looks for one that breaks a promise.
// The README.md beside this file describes the model and the command line.
import { parseArgs } from 'node:util'
import { DESIGN_FAULTS, MOVE_FAULTS, REFUTATIONS } from './designs.mjs'
import { RULES } from './judge.mjs'
import { PROPERTIES } from './properties.mjs'
import { search, walk } from './search.mjs'
import { FAULTS, times } from './state.mjs'

const text = { type: 'string' }
const flag = { type: 'boolean' }
const { values: options } = parseArgs({
  options: {
    faults: text,
    kinds: text,
    moves: text,
    nodes: text,
    times: text,
    without: text,
    only: text,
    every: text,
    states: text,
    seconds: text,
    walk: text,
    strict: flag,
    progress: flag,
    json: flag,
    list: flag
  }
})

if (options.list) list()
else if (['faults', 'kinds', 'moves', 'without', 'walk', 'nodes'].some((name) => name in options)) explore()
else proveQuickly()

function list () {
  for (const [title, entries] of Object.entries({ RULES, PROPERTIES })) {
    console.log(title)
    for (const [name, meaning] of Object.entries(entries)) console.log(`  ${name.padEnd(16)} ${meaning}`)
  }
  console.log(`FAULTS\n  ${FAULTS.join(' ')}`)
}

/**
 * Checks that the proposed rules hold with one fault of any kind, and with a move and one of the faults that matter
 * most to it, and that none of the rules can be left out.
 */
function proveQuickly () {
  const proposed = search({ without: [], faults: DESIGN_FAULTS }, { total: 1 })
  print('proposed, one fault', proposed)
  const moved = search({ without: [], faults: MOVE_FAULTS }, { total: 1 })
  print('proposed, a move and one fault', moved)
  const results = REFUTATIONS.map(({ rule, ...given }) => {
    const { faults, also = [], ...limits } = given
    const result = search({ without: [rule, ...also], faults }, limits)
    print(`without ${rule}`, result)
    return { rule, result }
  })
  const standing = results.filter(({ result }) => !result.found).map(({ rule }) => rule)
  if (options.json) {
    console.log(JSON.stringify({ proposed, moved, refuted: results.filter(({ result }) => result.found), standing }))
  }
  if (proposed.isExhausted && moved.isExhausted && standing.length === 0) return
  if (standing.length > 0) console.error(`not refuted: ${standing.join(', ')}`)
  process.exitCode = 1
}

function explore () {
  Object.assign(times, pairsOf(options.times))
  const faults = { ...options.kinds === undefined ? DESIGN_FAULTS : pairsOf(options.kinds) }
  if (options.moves !== undefined) faults.move = Number(options.moves)
  const design = { without: listOf(options.without) ?? [], isStrict: options.strict, faults }
  const limits = {
    nodes: numberOf(options.nodes),
    total: numberOf(options.faults),
    states: numberOf(options.states),
    seconds: numberOf(options.seconds),
    every: numberOf(options.every),
    only: listOf(options.only),
    report: options.progress ? ({ depth, states }) => console.error(`depth ${depth}: ${states}`) : undefined
  }
  const result = options.walk === undefined ? search(design, limits) : walk(design, limits, Number(options.walk))
  print(design.without.length > 0 ? `without ${design.without}` : 'proposed', result)
  if (options.json) console.log(JSON.stringify(result))
  if ((result.found !== undefined) !== (design.without.length > 0)) process.exitCode = 1
}

function print (name, { found, states, steps, depth, seconds, walks, isExhausted }) {
  if (options.json) return
  const size = `${states.toLocaleString('en')} states, ${steps.toLocaleString('en')} steps, ${seconds.toFixed(1)} s`
  if (found !== undefined) {
    console.log(`${name}: ${found.property} fails after ${found.path.length} steps (${size})`)
    console.log(`  ${found.text}`)
    for (const line of folded([...found.path, ...found.ahead])) console.log(`    ${line}`)
  } else if (walks !== undefined) {
    console.log(`${name}: no violation in ${walks} random walks (${steps} steps, ${seconds.toFixed(1)} s)`)
  } else {
    const extent = isExhausted ? `all, depth ${depth}` : `complete to depth ${depth}`
    console.log(`${name}: no violation, ${extent} (${size})`)
  }
}

/** Prints repeated rounds once. */
function folded (lines) {
  const out = []
  for (const [i, line] of lines.entries()) if (line !== lines[i - 3] || line !== lines[i - 6]) out.push(line)
  return out
}

function listOf (names) {
  return names?.split(',').filter(Boolean)
}

/** Parses `cut:2,late`: two cuts and one late message. */
function pairsOf (given) {
  return Object.fromEntries((listOf(given) ?? []).map((pair) => {
    const [name, number = '1'] = pair.split(':')
    return [name, Number(number)]
  }))
}

function numberOf (given) {
  return given === undefined ? undefined : Number(given)
}
