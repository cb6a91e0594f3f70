// Searches all states breadth first, so that the first counterexample is a shortest one; or walks at random.
import { begin, pack, unpack, useNodes, wordCount } from './state.mjs'
import { forEachStep } from './steps.mjs'
import { forgetSchedules, judgeFuture, judgeState } from './properties.mjs'
import { useRules, violations } from './judge.mjs'

const CHUNK_BITS = 16
const CHUNK = 1 << CHUNK_BITS

/** Stores the states found so far, each with its predecessor. */
class States {
  constructor () {
    this.width = wordCount()
    this.chunks = []
    this.parents = []
    this.count = 0
    this.table = new Int32Array(1 << 16)
    this.candidate = new Int32Array(this.width)
  }

  load (i) {
    unpack(this.chunks[i >>> CHUNK_BITS], (i & (CHUNK - 1)) * this.width)
  }

  wordsOf (i) {
    const at = (i & (CHUNK - 1)) * this.width
    return this.chunks[i >>> CHUNK_BITS].subarray(at, at + this.width)
  }

  parentOf (i) {
    return this.parents[i >>> CHUNK_BITS][i & (CHUNK - 1)]
  }

  hash (words, at) {
    let a = 0x811c9dc5
    for (let i = 0; i < this.width; i++) {
      a = Math.imul(a ^ words[at + i], 0x2c1b3c6d)
      a ^= a >>> 15
    }
    a = Math.imul(a, 0x297a2d39)
    return a ^ (a >>> 16)
  }

  isCandidate (i) {
    const words = this.chunks[i >>> CHUNK_BITS]
    const at = (i & (CHUNK - 1)) * this.width
    for (let k = 0; k < this.width; k++) if (words[at + k] !== this.candidate[k]) return false
    return true
  }

  /** @returns its number, or -1 if it was known */
  add (parent) {
    pack(this.candidate, 0)
    const last = this.table.length - 1
    let slot = this.hash(this.candidate, 0) & last
    for (; this.table[slot] !== 0; slot = (slot + 1) & last) if (this.isCandidate(this.table[slot] - 1)) return -1
    const i = this.count++
    if ((i & (CHUNK - 1)) === 0) {
      this.chunks.push(new Int32Array(CHUNK * this.width))
      this.parents.push(new Int32Array(CHUNK))
    }
    this.chunks[i >>> CHUNK_BITS].set(this.candidate, (i & (CHUNK - 1)) * this.width)
    this.parents[i >>> CHUNK_BITS][i & (CHUNK - 1)] = parent
    this.table[slot] = this.count
    if (this.count > this.table.length * 0.7) this.grow()
    return i
  }

  grow () {
    const length = this.table.length * 2
    this.table = undefined
    this.table = new Int32Array(length)
    for (let i = 0; i < this.count; i++) {
      let slot = this.hash(this.chunks[i >>> CHUNK_BITS], (i & (CHUNK - 1)) * this.width) & (length - 1)
      while (this.table[slot] !== 0) slot = (slot + 1) & (length - 1)
      this.table[slot] = i + 1
    }
  }
}

function prepare (design, { nodes = 2, total = 2 }) {
  useNodes(nodes)
  useRules(design.without, design.isStrict)
  forgetSchedules()
  begin(design.faults, total)
}

const wanting = (only) => (property) => only === undefined || only.includes(property)
const AHEAD = ['MEET', 'MEETCUT', 'RELOAD']
const isAhead = (property) => AHEAD.includes(property)

function stopwatch () {
  const startedAt = performance.now()
  return () => (performance.now() - startedAt) / 1000
}

/**
 * @param design `{ without, extra, faults }`: rules to leave out, and how often each kind of fault may happen
 * @param limits `{ nodes, total, states, seconds, only, every, report }`: faults in total, when to stop, properties,
 *   and on which states to try whether both meet (1: on all)
 */
export function search (design, limits) {
  const { states: most = Infinity, seconds = Infinity, only, every = 1, report } = limits
  prepare(design, limits)
  const wants = wanting(only)
  const looksAhead = AHEAD.some(wants)
  const spent = stopwatch()
  const states = new States()
  states.add(-1)
  let found
  let depth = 0
  let levelEnd = 1
  let steps = 0
  let at = 0

  function judge () {
    if (found !== undefined) return
    steps++
    judgeState()
    let violation = violations.find(([property]) => wants(property))
    if (violation === undefined) {
      const i = states.add(at)
      if (!looksAhead || i < 0 || i % every !== 0) return
      violation = judgeFuture(wants)
    }
    if (violation === undefined) return
    pack(states.candidate, 0)
    found = { property: violation[0], text: violation[1], goal: states.candidate.slice() }
  }

  for (; at < states.count && states.count < most; at++) {
    if (at === levelEnd) {
      depth++
      levelEnd = states.count
      report?.({ depth, states: states.count, seconds: spent() })
    }
    if ((at & 1023) === 0 && spent() > seconds) break
    states.load(at)
    forEachStep(judge)
    if (found !== undefined) break
  }
  const isExhausted = found === undefined && at === states.count
  if (found !== undefined) Object.assign(found, { path: pathTo(states, at, found), ahead: lookAhead(found) })
  return { found, states: states.count, steps, seconds: spent(), isExhausted, depth }
}

/** Describes the steps from the beginning to state i, and the last step to the violation. */
function pathTo (states, i, { goal, property }) {
  const path = [labelOf(states, i, goal, property)]
  for (let at = i; states.parentOf(at) >= 0; at = states.parentOf(at)) {
    path.unshift(labelOf(states, states.parentOf(at), states.wordsOf(at)))
  }
  return path
}

/** Describes the schedule in which the clients do not meet. */
function lookAhead ({ goal, property }) {
  const log = []
  unpack(goal, 0)
  if (isAhead(property)) judgeFuture((wanted) => wanted === property, log)
  return log
}

function labelOf (states, from, goal, property) {
  let label
  let fallback
  states.load(from)
  forEachStep((parts) => {
    pack(states.candidate, 0)
    if (label !== undefined || !states.candidate.every((word, k) => word === goal[k])) return
    judgeState()
    fallback ??= parts.join(' ')
    if (property === undefined || violations.some(([violated]) => violated === property)) label = parts.join(' ')
  })
  return label ?? fallback
}

const WALK = 80

/** Walks deep, but not exhaustively: a counterexample is not a shortest one. */
export function walk (design, limits, seed) {
  const { seconds = Infinity, only } = limits
  const wants = wanting(only)
  const looksAhead = AHEAD.some(wants)
  const random = randomOf(seed)
  const spent = stopwatch()
  let steps = 0
  let walks = 0
  let found
  prepare(design, limits)
  while (spent() < seconds && found === undefined) {
    walks++
    begin(design.faults, limits.total ?? 2)
    const weightOf = drawWeights(random)
    const path = []
    for (let k = 0; k < WALK; k++, steps++) {
      const { label, words, violation } = chooseStep(random, weightOf, wants)
      path.push(label)
      unpack(words, 0)
      const bad = violation ?? (looksAhead ? judgeFuture(wants) : undefined)
      if (bad === undefined) continue
      found = { property: bad[0], text: bad[1], path, ahead: [] }
      break
    }
  }
  return { found, states: steps, steps, walks, seconds: spent(), isExhausted: false, depth: WALK }
}

/** Draws preferences for each walk, so that walks differ: in one, clients rarely leave; in another, time flies. */
function drawWeights (random) {
  const weights = new Map()
  return (label) => {
    if (!weights.has(label)) weights.set(label, 4 ** (random(6) - 3))
    return weights.get(label)
  }
}

/** Picks a step with a violation, else any. */
function chooseStep (random, weightOf, wants) {
  const packed = new Int32Array(wordCount())
  const next = []
  let sum = 0
  let bad
  forEachStep((parts) => {
    judgeState()
    pack(packed, 0)
    const label = parts.join(' ')
    sum += weightOf(label)
    const step = { label, words: packed.slice(), upTo: sum }
    next.push(step)
    step.violation = violations.find(([property]) => wants(property))
    if (step.violation !== undefined) bad ??= step
  })
  const drawn = random(1e6) / 1e6 * sum
  return bad ?? next.find(({ upTo }) => upTo > drawn) ?? next.at(-1)
}

function randomOf (seed) {
  let z = seed >>> 0 || 1
  return (below) => {
    z ^= z << 13
    z ^= z >>> 17
    z ^= z << 5
    return (z >>> 0) % below
  }
}
