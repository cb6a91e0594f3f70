import t from 'tap'
import { createChooser, MAX_CANDIDATES } from '../../../lib/registry/nodes/chooser.js'
import fc from '../../support/fast-check.js'
import { seededRandom } from '../../support/seeded-random.js'
import type { NodeView } from '../../../types/index.js'

const room = { tenant: 't1', room: 'r1' }

function view (id: number | string, more: Partial<NodeView> = {}): NodeView {
  const wssUrl = `wss://10.0.0.1/ws/${id}`
  return { id: `n${id}`, incarnation: 'x', wssUrl, weight: 1, draining: false, rooms: 0, ...more }
}

const anyNode = fc.record({
  weight: fc.constantFrom(0.5, 1, 3),
  draining: fc.boolean(),
  rooms: fc.nat(4),
  capacity: fc.option(fc.nat(4), { nil: undefined })
})
const anyNodes = fc.array(anyNode, { maxLength: 40 }).map((nodes) => nodes.map((node, id) => view(id, node)))

t.test('a choice – has at most eight nodes, none draining, full, rejected or repeated, and is empty only without candidates', async (t) => {
  fc.assert(fc.property(anyNodes, fc.integer(), fc.nat(60), fc.boolean(), (nodes, seed, given, isOwn) => {
    const chooser = createChooser({ random: seededRandom(seed) })
    chooser.update(nodes)
    const counts = new Map<NodeView, number>()
    const accepts = ({ id }: NodeView) => !id.endsWith('3')
    const selectNode = (candidates: readonly NodeView[]) => [...candidates, view('stranger'), ...candidates]
    const isFree = (node: NodeView) => accepts(node) && !node.draining &&
      node.rooms + (counts.get(node) ?? 0) < (node.capacity ?? Infinity)
    for (let i = 0; i <= given; i++) {
      const chosen = chooser.choose(room, isOwn ? { accepts, selectNode } : { accepts })
      const free = nodes.filter(isFree)
      if (!chosen.every(isFree) || new Set(chosen).size !== chosen.length) return false
      if (chosen.length !== Math.min(MAX_CANDIDATES, free.length)) return false
      const [first] = chosen
      if (first === undefined) break
      chooser.count(first, 1)
      counts.set(first, (counts.get(first) ?? 0) + 1)
    }
    return true
  }), { numRuns: 300 })
})

t.test('up to eight nodes – are ordered by load per weight', async (t) => {
  fc.assert(fc.property(fc.array(anyNode, { maxLength: 8 }), fc.integer(), (nodes, seed) => {
    const chooser = createChooser({ random: seededRandom(seed) })
    chooser.update(nodes.map((node, id) => view(id, node)))
    const loads = chooser.choose(room).map(({ rooms, weight }) => rooms / weight)
    return loads.every((load, at) => at === 0 || load >= (loads[at - 1] ?? 0))
  }))
})

t.test('an assignment taken back after a reading – leaves no room on a full node', async (t) => {
  const chooser = createChooser({ reportAge: 2000 })
  const free = view(1, { capacity: 1 })
  chooser.update([free], 0)
  chooser.count(free, 1)
  const full = { ...free, rooms: 1 }
  chooser.update([full], 2000)
  chooser.count(full, -1)
  for (const at of [4000, 6000]) {
    chooser.update([full], at)
    t.strictSame(chooser.choose(room), [])
  }
})

t.test('own assignments – count until the second reading after them', async (t) => {
  const chooser = createChooser({ reportAge: 2000 })
  const [first, second] = [view(1), view(2, { rooms: 5 })]
  chooser.update([first, second], 0)
  for (let i = 0; i < 5; i++) {
    t.equal(chooser.choose(room)[0], first)
    chooser.count(first, 1)
  }
  chooser.count(first, 1)
  t.equal(chooser.choose(room)[0], second)
  chooser.update([first, second], 2000)
  chooser.update([first, second], 2100)
  t.equal(chooser.choose(room)[0], second, 'two readings in short succession count as one')
  chooser.update([first, second], 4000)
  t.equal(chooser.choose(room)[0], first)
  chooser.count(second, 1)
  chooser.count(second, -1)
  chooser.choose(room, {
    selectNode (candidates, { ownAssignments }) {
      t.strictSame(candidates.map(ownAssignments), [0, 0])
      return candidates
    }
  })
})

t.test('a custom choice – gets its own list, and a result that is no list is rejected', async (t) => {
  const chooser = createChooser()
  chooser.update([view(1), view(2)])
  // Code without types may change values that are declared readonly.
  t.equal(chooser.choose(room, { selectNode: (candidates) => (candidates as NodeView[]).splice(0) }).length, 2)
  t.equal(chooser.choose(room).length, 2)
  const selectNode = () => null as unknown as NodeView[] // Simulates an answer of a program without types.
  t.throws(() => chooser.choose(room, { selectNode }), { name: 'TypeError', message: /"selectNode"/ })
  t.strictSame(chooser.choose(room, { selectNode: () => [null as unknown as NodeView] }), [])
})

t.test('"accepts" – is asked once per node and reading', async (t) => {
  const chooser = createChooser()
  let asked = 0
  const accepts = () => ++asked > 0
  chooser.update([view(1), view(2)])
  for (let i = 0; i < 10; i++) chooser.choose(room, { accepts })
  t.equal(asked, 2)
  chooser.update([view(1)])
  chooser.choose(room, { accepts })
  t.equal(asked, 3)
})

t.test('the cost of a choice – does not grow with the number of nodes', async (t) => {
  const draws = (count: number) => {
    let drawn = 0
    const random = seededRandom(1)
    const chooser = createChooser({ random: () => { drawn++; return random() } })
    chooser.update(Array.from({ length: count }, (_value, id) => view(id)))
    for (let i = 0; i < 100; i++) chooser.choose(room)
    return drawn
  }
  t.equal(draws(10_000), draws(10))
})

interface Burst {
  seed: number
  nodes: NodeView[]
  gateways: number
  rooms: number
  /** Milliseconds between an assignment and the node's count of the room. */
  claimAfter?: number
}

/**
 * Simulates 10 s of new rooms; each node reports and each gateway reads every 2 s, at its own offset. Returns rooms per
 * weight.
 */
function spread ({ seed, nodes, gateways, rooms, claimAfter = 0 }: Burst): number[] {
  const random = seededRandom(seed)
  const truth = nodes.map((node) => ({ ...node }))
  const choosers = Array.from({ length: gateways }, () => createChooser({ reportAge: 2000, random }))
  const events: Array<{ at: number, run: () => void }> = []
  const every2s = (run: () => void) => {
    for (let at = random() * 2000; at < 10_000; at += 2000) events.push({ at, run })
  }
  const given = new Map(nodes.map(({ id }) => [id, 0]))
  for (const [index, node] of truth.entries()) every2s(() => { nodes[index] = { ...node } })
  for (const chooser of choosers) {
    let now = -2000
    const read = () => {
      now += 2000
      chooser.update([...nodes], now)
    }
    read()
    every2s(read)
  }
  for (let i = 0; i < rooms; i++) {
    const at = random() * 10_000
    events.push({
      at,
      run () {
        const chooser = choosers[Math.floor(random() * gateways)]
        const [node] = chooser?.choose({ tenant: 't1', room: `r${i}` }) ?? []
        if (node === undefined) return
        chooser?.count(node, 1)
        given.set(node.id, (given.get(node.id) ?? 0) + 1)
        const claimed = truth.find(({ id }) => id === node.id)
        later.push({ at: at + claimAfter, run: () => { if (claimed) claimed.rooms++ } })
      }
    })
  }
  const later: typeof events = []
  for (const { at, run } of events.sort((a, b) => a.at - b.at)) {
    while (later[0] !== undefined && later[0].at <= at) later.shift()?.run()
    run()
  }
  return nodes.map(({ id, weight }) => (given.get(id) ?? 0) / weight)
}

const max = (shares: number[]) => Math.max(...shares)
const mean = (shares: number[]) => shares.reduce((sum, share) => sum + share, 0) / shares.length

t.test('a burst of 10,000 rooms – eight gateways with old reports – is spread evenly', async (t) => {
  const worst = { alike: 0, slow: 0, weighted: 0 }
  for (let seed = 1; seed <= 20; seed++) {
    const burst = (weights: number[], claimAfter: number) => {
      const nodes = weights.map((weight, id) => view(id, { weight }))
      const shares = spread({ seed, nodes, gateways: 8, rooms: 10_000, claimAfter })
      const even = 10_000 / weights.reduce((sum, weight) => sum + weight, 0)
      return max(shares) / even
    }
    worst.alike = Math.max(worst.alike, burst(Array(10).fill(1), 0))
    worst.slow = Math.max(worst.slow, burst(Array(10).fill(1), 1000))
    worst.weighted = Math.max(worst.weighted, burst([1, 1, 1, 1, 1, 2, 2, 2, 4, 4], 0))
  }
  t.comment(JSON.stringify(worst))
  t.ok(max(Object.values(worst)) <= 1.2)
})

t.test('1,000 rooms of one gateway – are spread evenly over four nodes', async (t) => {
  let worst = 0
  for (let seed = 1; seed <= 20; seed++) {
    const nodes = [1, 2, 3, 4].map((id) => view(id))
    const shares = spread({ seed, nodes, gateways: 1, rooms: 1000, claimAfter: 500 })
    worst = Math.max(worst, max(shares) / Math.min(...shares))
  }
  t.comment(String(worst))
  t.ok(worst <= 1.3)
})

t.test('a node that joins empty – is not overloaded', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const nodes = Array.from({ length: 10 }, (_value, id) => view(id, { rooms: id === 0 ? 0 : 1000 }))
    const shares = spread({ seed, nodes, gateways: 8, rooms: 10_000, claimAfter: 1000 })
    t.ok((shares[0] ?? 0) < 2.5 * mean(shares))
    t.ok((shares[0] ?? 0) > 1.5 * mean(shares), 'the new node catches up')
  }
})
