// Models the store: bindings, leases, epochs, and settling.
import {
  CALL_ENDED, CLAIMED, HOLDING, INSIDE, KEPT, LINGERING, MOVED, MOVING, NODE, OPEN, PRIOR, RESULT, TOLD,
  UNHEARD, VACATE, binding, clients, gateways, late, life, nodes, store, times
} from './state.mjs'
import { rules, violate } from './judge.mjs'

export const countInside = (n) => {
  let count = 0
  for (const client of clients) if (client.state === INSIDE && client.node === n) count++
  return count
}
const lingers = () => rules.skewLinger ? life() : times.ttl

/** Returns the node of the live incarnation that the room is bound to, or -1. */
export function holder () {
  const n = binding.node - 1
  return n >= 0 && binding.current && nodes[n].lease ? n : -1
}
export const isElsewhere = (n) => holder() >= 0 && holder() !== n
export const isBoundTo = (n) => binding.node === n + 1 && binding.current === 1

export function unbind () {
  binding.node = binding.current = binding.state = binding.linger = binding.tell = binding.left = 0
  if (!rules.markLasts) binding.mark = 0
}

export function bind (n, state) {
  if (binding.node !== n + 1) binding.tell = binding.left = 0
  if (!rules.markKept) binding.mark = binding.tell = 0
  store.missed = 0
  judgeReturn(n)
  binding.node = n + 1
  binding.current = 1
  binding.state = state
  binding.linger = state === CLAIMED ? 0 : lingers()
  // A late release carries the number of an older claim.
  if (state === CLAIMED && late.kind === VACATE && rules.counter) late.valid = 0
}

/** Releases the room: the last client left (rule 3). */
export function vacate (n) {
  if (!isBoundTo(n) || (isMovingFrom(n) && rules.moveRelease)) return
  if (rules.linger) bind(n, LINGERING)
  else unbind()
}

/** True while the node, under any incarnation, is the one that the room moves away from (rule 12). */
export const isMovingFrom = (n) => binding.state === MOVING && binding.node === n + 1

/** @param youngest age of the signatures that count as later, by the clock of another gateway */
function predate (before, youngest = -1) {
  for (const client of clients) {
    if (client.state === HOLDING && client.before < before && client.age > youngest) client.before = before
  }
  if (late.kind && late.before < before && late.age > youngest) late.before = before
}

/** Ends the call (rule 11). */
export function endCall () {
  for (const node of nodes) if (node.room) node.over |= CALL_ENDED
  if (!binding.node && !rules.markUnbound) return
  predate(UNHEARD)
  binding.mark = 1
  if (!binding.node || (binding.state === MOVING && rules.moveEnd)) return
  binding.state = LINGERING
  binding.linger = lingers()
  binding.tell = TOLD
}

/** The first part is for the node to acknowledge; in the second one it is left out of the choice. */
export const moveLasts = () => (rules.moveLinger ? life() : 1) + life()

/**
 * Moves the room away from its node (rule 12).
 * @param youngest see predate
 */
export function moveRoom (youngest) {
  const n = binding.node - 1
  const isHeld = binding.state === CLAIMED || rules.moveTold || (binding.tell && rules.moveUnheard)
  binding.tell = holder() >= 0 && isHeld ? TOLD : 0
  if (nodes[n].room) nodes[n].over |= MOVED
  if (rules.moveDates) predate(PRIOR, youngest)
  // The node would admit by no earlier signature: the store refuses its claim.
  if (!binding.tell && !nodes[n].room) nodes[n].out = 0
  binding.state = MOVING
  binding.left = n + 1
  binding.linger = moveLasts()
}

/** True if the node that the room moves away from may still admit clients. */
export const mustWait = () =>
  rules.moveWait === 1 && holder() >= 0 && binding.tell > 0 && binding.linger > life()

/**
 * Hears a node. A silence of all nodes for L means that the store was away (rule 7), unless it knows of no other node
 * that may come back, and had settled enough to know.
 */
export function hear (n) {
  const isSilenceOver = store.quiet >= times.lease && rules.silence
  const mayReturn = nodes.some((node, m) => m !== n && node.known) || (store.uneasy && rules.unsettled)
  if (isSilenceOver && mayReturn && store.settling < 1 + times.tail) store.settling = 1 + times.tail
  noteBeat()
}

export function noteBeat () {
  store.quiet = 0
  store.uneasy = store.settling > 0 ? 1 : 0
}

/** Returning nodes yield to those that had not lapsed (rule 5d). */
export const isYieldTime = () => rules.yield && store.settling > (rules.tail ? times.tail : 0)

/** True if most nodes vanished at once. */
export function isInDoubt () {
  if (!rules.doubt) return false
  let ended = 0
  let alive = 0
  for (const node of nodes) {
    if (node.lease) alive++
    else if (node.ended) ended++
  }
  return ended >= 2 && ended > alive
}

/** Voids every binding; the epoch is not known to any process (rule 6). */
export function loseMemory (isWiped) {
  forgetBinding()
  for (const node of nodes) {
    if (isWiped) node.lease = node.known = node.ended = 0
    if (rules.epoch) node.epoch = 0
  }
  if (isWiped) store.quiet = 0
  if (!rules.epoch) return
  late.valid = 0
  store.turned = 1
  if (store.reachable) startEpoch()
}

/** Forgets the binding. An end of the call that its node has not heard of is lost with it: a limit, not a violation. */
export function forgetBinding () {
  unbind()
  binding.mark = 0
  if (rules.strictRelease) return
  for (const node of nodes) node.over = 0
  for (const sheet of [...clients, late]) if (sheet.before && sheet.before <= UNHEARD) sheet.before = 0
}

/** Begins an epoch at the first request; gateways read the nodes all the time. */
export function startEpoch () {
  if (!store.turned) return
  store.turned = 0
  store.uneasy = 1
  if (rules.settle) store.settling = Math.max(times.lease, life()) + (rules.yield && rules.tail ? times.tail : 0)
}

export function prolong (n) {
  const node = nodes[n]
  node.lease = node.granted = times.lease
  node.known = 1
  node.ended = 0
}

export function passTime () {
  for (const node of nodes) {
    if (node.ended) node.ended--
    if (node.granted) node.granted--
    if (node.lease && --node.lease === 0) node.ended = times.lease + times.doubt
    if (node.out) node.out--
  }
  if (store.settling) store.settling--
  if (store.quiet < times.lease) store.quiet++
  if (binding.node && binding.state !== CLAIMED && --binding.linger === 0) unbind()
}

/** Turns all references to the node's incarnation into references to an old one (rule 2). */
export function renewIncarnation (n) {
  if (!rules.incarnation) return
  nodes[n].out = 0
  if (binding.node === n + 1) binding.current = 0
  if (late.kind && late.node === n && !late.retried) late.current = 0
  for (const client of clients) if (client.node === n && client.state !== INSIDE) client.current = 0
  for (const gateway of gateways) if (gateway.remembers === n + 1) gateway.current = 0
}

/** BACK: checks that a moved room does not return to its node. */
export function judgeReturn (n) {
  if (binding.left !== n + 1 || !nodes.some((node, m) => m !== n && node.lease)) return
  violate('BACK', `the room was moved away from ${NODE[n]}, and returns to it`)
}

/** I25: checks that the room may be taken from the clients inside before node n gets it. */
export function judgeMove (n, isAsked) {
  if (store.missed && !nodes[n].room) {
    violate('ROUND', `the room moves to ${NODE[n]} though its binding was lost a round of heartbeats ago`)
  }
  for (const [m, node] of nodes.entries()) {
    // The operator takes a moved room from its clients.
    if (m === n || !countInside(m) || (node.over & MOVED)) continue
    if (node.room === OPEN && node.granted) {
      violate('I25', `the room moves to ${NODE[n]} while ${NODE[m]} has clients inside and its lease has not expired`)
    } else if (!node.fault && (isAsked || nodes[n].room !== KEPT)) {
      violate('I25', `the room moves to ${NODE[n]}: ${NODE[m]} has clients inside and only the store was away`)
    } else if (!node.fault && isBoundTo(m) && node.room) {
      violate('I25', `${NODE[n]} returns and takes the room bound to ${NODE[m]}, which only waits for the store`)
    }
  }
}

/** A late write of a node is refused in another epoch than its own. */
export const isOutdated = () => !late.valid && rules.nodeEpoch && late.kind !== RESULT && late.kind !== VACATE

export function dropLate () {
  late.kind = late.node = late.current = late.age = late.valid = 0
  late.client = late.before = late.retried = late.claims = 0
}

export function sendLate (kind, n) {
  dropLate()
  late.kind = kind
  late.node = n
  late.current = late.valid = 1
}
