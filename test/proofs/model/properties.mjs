// Defines the properties of a state: safety at once, and that both clients meet once faults stop.
import {
  ASKING, AWAY, CLIENT, HOLDING, INSIDE, LEAVING, MOVED, MOVING, NODE, OPEN, UP,
  binding, budget, bytes, clients, fingerprint, gateways, life, nodes, store, times
} from './state.mjs'
import { dropLate, holder, isBoundTo, isMovingFrom, startEpoch } from './store.mjs'
import { claimAgain, contact, isDue, leave, reaches, setClient, show, stop, tick } from './node.mjs'
import { ask } from './gateway.mjs'
import { rules, violate, violations } from './judge.mjs'

export const PROPERTIES = {
  I1: 'no two unexpired signatures name two nodes, unless the first was declared dead or acknowledged the end before',
  I2: 'no two nodes admit to one room',
  I3: 'no signature names a node that was declared dead',
  I8: 'a node whose lease expired never admits again under the same incarnation',
  I25: 'no fault of the store moves a room in use',
  ROUND: 'an open room whose binding was lost is not given away once its node has had a round of heartbeats',
  REL: 'no signature from before an end that its node heard of is admitted, or opens the room',
  ENDED: 'no node that reaches the store goes on with a call that ended',
  BACK: 'a moved room does not return to its node while the move lasts and another node lives',
  OUST: 'no late message displaces a live node',
  MEET: 'all faults stop: both clients are together soon',
  MEETCUT: 'one node stays cut off, all else heals: both clients are together soon',
  RELOAD: 'a page that reloads while the faults last finds the other side'
}
/** Number of ticks that count as "soon". */
const SOON = 20

/** A node that overlooked a move may have the room open for longer than any signature for it. */
const isSpent = (node) => (node.over & MOVED) > 0 && node.out === 0
const admits = (node) => node.up === UP && node.room === OPEN && (node.own > 0 || !rules.doors) && !isSpent(node)

/** Checks properties of a state alone; the steps check their own. */
export function judgeState () {
  let count = 0
  for (const node of nodes) if (admits(node)) count++
  if (count > 1) violate('I2', 'two nodes have the room open and would admit by normal signatures')
}

const areTogether = () =>
  clients[0].state === INSIDE && clients[1].state === INSIDE && clients[0].node === clients[1].node

/** Fingerprints of states from which a schedule is known to end well. */
class Memo {
  constructor () {
    this.clear()
  }

  clear () {
    this.table = new Float64Array(1 << 16)
    this.count = 0
  }

  slot (key) {
    const last = this.table.length - 1
    let at = (key % 0x7fffffff) & last
    while (this.table[at] !== 0 && this.table[at] !== key) at = (at + 1) & last
    return at
  }

  has (key) {
    return this.table[this.slot(key)] !== 0
  }

  add (key) {
    const at = this.slot(key)
    if (this.table[at] !== 0 || this.count > 120e6) return
    this.table[at] = key
    if (++this.count < this.table.length * 0.6) return
    const { table } = this
    this.table = new Float64Array(table.length * 2)
    for (const old of table) if (old !== 0) this.table[this.slot(old)] = old
  }
}

const memo = new Memo()
export const forgetSchedules = () => memo.clear()

const HEAL = 0
const HEAL_BUT_CUT = 1
const STAY = 2
const STAY_AND_LOAD_SLOWLY = 3

function stopFaults (mode) {
  dropLate()
  budget.total = budget.move = 0
  if (mode >= STAY) return
  store.reachable = 1
  startEpoch()
  for (const gateway of gateways) gateway.cut = 0
  for (const [n, node] of nodes.entries()) {
    if (node.up === LEAVING) stop(n)
    node.up = UP
    if (mode === HEAL) node.cut = 0
  }
}

function contactAll (order, log) {
  for (const n of order) {
    for (let i = 0; i < 3 && isDue(n); i++) {
      const said = contact(n)
      log?.push(`${NODE[n]} ${said}`)
    }
  }
}

function askAndShow (client, g, preferred) {
  if (client.state === ASKING) {
    const bound = holder()
    let n = bound >= 0 && !isMovingFrom(bound) ? bound : preferred
    for (let i = 0; i < nodes.length && (!nodes[n].lease || isMovingFrom(n)); i++) n = (n + 1) % nodes.length
    ask(client, g, n)
  }
  if (client.state === HOLDING) show(client)
}

const STANDS = ['is away from', 'got no answer,', 'holds a signature for', 'is inside']

function visit (turn, preferred, isLoading, log) {
  for (let i = 0; i < 3; i++) {
    for (const c of turn) {
      const client = clients[c]
      if (client.state === AWAY && !isLoading) setClient(client, ASKING)
      for (const g of [0, 1]) askAndShow(client, g, preferred)
      if (i === 2) log?.push(`${CLIENT[c]} ${STANDS[client.state]} ${NODE[client.node]}`)
    }
  }
}

function hasMet (mode) {
  if (!areTogether()) return false
  const n = clients[0].node
  if (mode !== HEAL) return nodes[n].room > 0
  return nodes[n].room === OPEN && isBoundTo(n) && binding.state !== MOVING && !nodes.some((_, m) => isDue(m))
}

/** Follows one fair schedule from the present state. @returns true if both meet */
function endsWell (mode, isReversed, preferred, log) {
  const order = nodes.map((_, n) => n)
  const turn = [0, 1]
  if (isReversed) for (const list of [order, turn]) list.reverse()
  const passed = []
  for (let t = 0; t < SOON; t++) {
    const isLoading = mode === STAY_AND_LOAD_SLOWLY && t < times.patience + 2
    const key = fingerprint((Math.min(mode, STAY) * 2 + isReversed) * nodes.length + preferred + 1)
    if (!isLoading && !log) {
      if (memo.has(key)) break
      passed.push(key)
    }
    contactAll(order, log)
    visit(turn, preferred, isLoading, log)
    slowBeat(order)
    if (hasMet(mode)) break
    if (t === SOON - 1) return false
    contactAll(order, log)
    tick()
    log?.push('time passes')
    for (const client of clients) if (client.state === HOLDING && ++client.age >= life()) setClient(client, ASKING)
  }
  for (const key of passed) memo.add(key)
  return true
}

function slowBeat (order) {
  if (!rules.slowBeat) return
  for (const n of order) {
    const node = nodes[n]
    if (node.room === OPEN && reaches(n) && node.own && node.lease && node.epoch) claimAgain(n)
  }
}

const start = new Uint8Array(bytes.length)

/** Tries every schedule from the present state, and restores it. @returns the first that ends badly */
export function judgeFuture (wants, log) {
  start.set(bytes)
  const found = tryAll(wants, log)
  bytes.set(start)
  violations.length = 0
  return found
}

function tryAll (wants, log) {
  const cut = nodes.filter((node) => node.cut).length
  for (let isReversed = 0; isReversed < 2; isReversed++) {
    for (let preferred = 0; preferred < nodes.length; preferred++) {
      const ends = (mode, prepare) => {
        bytes.set(start)
        if (log) log.length = 0
        stopFaults(mode)
        prepare?.()
        return endsWell(mode, isReversed, preferred, log)
      }
      const schedule = `(nodes in ${isReversed ? 'reverse ' : ''}order, ${NODE[preferred]} preferred)`
      if (wants('MEET') && !ends(HEAL)) return ['MEET', `all faults stop, and they stay apart ${schedule}`]
      if (wants('MEETCUT') && cut === 1 && !ends(HEAL_BUT_CUT)) {
        return ['MEETCUT', `one node stays cut off, and they stay apart ${schedule}`]
      }
      if (!wants('RELOAD') || !canReload()) continue
      for (const [c, client] of clients.entries()) {
        if (!ends(STAY, () => leave(client, ASKING))) return ['RELOAD', `${CLIENT[c]} reloads: apart ${schedule}`]
        if (!ends(STAY_AND_LOAD_SLOWLY, () => leave(client, AWAY))) {
          return ['RELOAD', `${CLIENT[c]} reloads slowly: apart ${schedule}`]
        }
        bytes.set(start)
      }
    }
  }
}

/** True if both are together on a node that some gateway remembers, and any reachable store is reached by some node. */
function canReload () {
  bytes.set(start)
  if (!areTogether()) return false
  const n = clients[0].node
  if (nodes[n].up !== UP || !gateways.some((gateway) => gateway.remembers === n + 1)) return false
  return !store.reachable || nodes.some((_, m) => reaches(m))
}
