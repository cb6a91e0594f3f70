// Models a node: heartbeats, doors, claims, admission.
import {
  ASKING, AWAY, CALL_ENDED, CLAIMED, CLOSED, CLOSED_UNSAID, DOWN, FORGOTTEN, HEARD, INSIDE, KEPT, LEAVING, LINGERING,
  MOVED, NODE, OPEN, REGISTRATION, TOLD, UNHEARD, UP, binding, clients, late, nodes, ownLease, store, times
} from './state.mjs'
import {
  bind, countInside, hear, isBoundTo, isElsewhere, isMovingFrom, isYieldTime, judgeMove, noteBeat, passTime, prolong,
  renewIncarnation, vacate
} from './store.mjs'
import { rules, violate } from './judge.mjs'

export function setClient (client, state, n = 0, current = 0, joinOnly = 0) {
  client.state = state
  client.node = n
  client.current = current
  client.joinOnly = joinOnly
  client.age = client.before = 0
}

export const reaches = (n) => nodes[n].up === UP && !nodes[n].cut && store.reachable === 1

export function close (n, state = ASKING) {
  for (const client of clients) if (client.state === INSIDE && client.node === n) setClient(client, state)
  const node = nodes[n]
  node.room = CLOSED
  node.alone = node.over = 0
}

/** Rule 5a: shuts doors, not rooms. */
export function lapse (n) {
  const node = nodes[n]
  node.own = 0
  if (node.room !== OPEN || !rules.doors) return
  if (rules.keep) {
    node.room = KEPT
  } else {
    if (countInside(n)) violate('I25', `${NODE[n]} lapsed and closes a room with clients inside`)
    close(n)
  }
}

export const mayClaimKept = (n) =>
  isElsewhere(n) || !isYieldTime() || (rules.ownId === 1 && binding.node === n + 1)

function claimOpen (n) {
  const node = nodes[n]
  if (isOver(n) || isUndone(n)) return hearRelease(n)
  judgeMove(n, false)
  if (node.over & CALL_ENDED) violate('ENDED', `${NODE[n]} claims a room whose call ended, and goes on with it`)
  bind(n, CLAIMED)
  node.room = OPEN
}

export function claimAgain (n) {
  if (isElsewhere(n)) close(n)
  else claimOpen(n)
}

/** Brings the node back, and claims the room that it kept (rule 5c). */
function claimKept (n) {
  const node = nodes[n]
  node.alone = 0
  if (!countInside(n)) {
    close(n)
    vacate(n)
  } else if (mayClaimKept(n)) {
    claimAgain(n)
  } else {
    node.room = KEPT
  }
}

/** True if the store remembers that the call ended after the room was opened. */
const isOver = (n) => rules.reclaimDate === 1 && (nodes[n].over & CALL_ENDED) > 0 && binding.mark === 1
const isTold = (n) => binding.tell === TOLD && binding.node === n + 1
const listens = (n) => isTold(n) && !nodes[n].deaf
const owesAnswer = (n) => binding.tell === CLOSED_UNSAID && binding.node === n + 1 && !nodes[n].deaf
/** True if a claim would undo the move. */
const isUndone = (n) => rules.moveClaim === 1 && isMovingFrom(n) && (rules.moveId === 1 || isBoundTo(n))

function mark (n, from, to) {
  for (const sheet of [...clients, late]) if (sheet.node === n && sheet.before >= from) sheet.before = to
}

/** Rules 11 and 12: the call ended, or the room was moved. Only a move waits until the node has said that it heard. */
function hearRelease (n) {
  const isMoving = isMovingFrom(n)
  binding.tell = isMoving && binding.tell ? CLOSED_UNSAID : 0
  close(n, isMoving || nodes[n].over & MOVED ? ASKING : AWAY)
  mark(n, 1, HEARD)
  if (isMoving && isBoundTo(n) && rules.moveDates) nodes[n].out = 0
}

/** Without the rule, the store counts a move as acknowledged as soon as it reports it. */
export function countAsHeard (n) {
  if (isTold(n) && isMovingFrom(n) && !rules.moveHeard) binding.tell = 0
}

/** True if the node has a message for the store, or expects one, before time advances. */
export function isDue (n) {
  const node = nodes[n]
  return reaches(n) && (node.own < ownLease() || node.lease < times.lease || !node.epoch || listens(n) ||
    owesAnswer(n) || (node.room === KEPT && mayClaimKept(n)))
}

/** Sends a heartbeat or registration, with the claims that it carries. @returns a description */
export function contact (n) {
  hear(n)
  const node = nodes[n]
  const said = node.own ? beat(n) : comeBack(n)
  if (node.room !== KEPT && node.own) node.fault = 0
  return said
}

function arrive (n) {
  prolong(n)
  nodes[n].own = ownLease()
  nodes[n].epoch = 1
}

function beat (n) {
  const node = nodes[n]
  if (node.epoch && !node.lease) {
    lapse(n)
    return 'is told that it lapsed'
  }
  const isNews = !node.epoch
  if (isNews && !rules.keepIncarnation) renewIncarnation(n)
  arrive(n)
  if (owesAnswer(n)) {
    binding.tell = 0
    return 'acknowledges that it closed the room'
  }
  if (listens(n)) {
    hearRelease(n)
    return isMovingFrom(n) ? 'hears that the room was moved' : 'hears that the call ended'
  }
  if (node.room === OPEN && isNews) {
    claimAgain(n)
    return 'sees the new epoch, registers in it and claims its room'
  }
  if (node.room !== KEPT) return 'sends a heartbeat'
  claimKept(n)
  return 'claims the room it kept'
}

/** Rule 2: a lapsed node resumes if its lease still lives in the store, else it takes a new incarnation. */
function comeBack (n) {
  const node = nodes[n]
  const isSame = rules.resume && node.lease && node.epoch
  if (!isSame) renewIncarnation(n)
  if (late.kind === REGISTRATION && late.node === n) late.retried = 0
  arrive(n)
  if (listens(n)) hearRelease(n)
  else if (node.room && rules.sameStep) claimKept(n)
  return isSame ? 'is back, still alive in the store' : 'registers under a new incarnation'
}

/** Advances the node by one heartbeat. */
export function tick () {
  passTime()
  for (const [n, node] of nodes.entries()) {
    if (node.own) node.own--
    if (reaches(n)) {
      prolong(n)
      node.own = ownLease()
      noteBeat()
      claimInTurn(n)
    } else if (node.up && !node.own) {
      lapse(n)
    }
    if (rules.alone && node.room === KEPT && node.up === UP && countInside(n) === 1) wait(n)
    else node.alone = 0
  }
}

/** Claims every open room again within a round of heartbeats, if its binding is lost. */
function claimInTurn (n) {
  const isLost = nodes[n].room === OPEN && nodes[n].epoch && countInside(n) > 0 && !binding.node
  if (!isLost) return
  if (rules.slowBeat && rules.share) claimAgain(n)
  else store.missed = 1
}

/** Rule 5b: no client waits alone behind a shut door. */
function wait (n) {
  const node = nodes[n]
  if (++node.alone <= times.patience) return
  const over = node.over
  close(n)
  if (!rules.stay) return
  node.room = KEPT
  node.over = over
}

function enter (client, n) {
  const { joinOnly, before } = client
  if (!joinOnly && !nodes[n].granted) {
    violate('I8', `${NODE[n]} admits by a normal signature after its lease expired`)
  }
  if (before >= HEARD) violate('REL', 'a signature from before an end that the node heard of is admitted')
  setClient(client, INSIDE, n)
  return ENTERS[n]
}

const ENTERS = NODE.map((name) => `joins ${name}`)
const away = (why) => NODE.map((name) => `is turned away by ${name}: ${why}`)
const AWAY_FOR = {
  down: away('no connection'),
  old: away('old incarnation'),
  closed: away('join-only, and the room is not open'),
  released: away('signed before the end'),
  lapsed: away('lapsed'),
  unreachable: away('it cannot claim'),
  epoch: away('claim refused, another epoch'),
  elsewhere: away('claim refused, the room is elsewhere'),
  ended: away('claim refused, signed before the end'),
  moving: away('claim refused, the room moves')
}

function turnAway (client, n, why) {
  setClient(client, ASKING)
  return AWAY_FOR[why][n]
}

/** Shows a client's signature to the node that it names. @returns a description of the result */
export function show (client) {
  const n = client.node
  const node = nodes[n]
  if (node.up === DOWN) return turnAway(client, n, 'down')
  if (client.before === HEARD && rules.refuse) return turnAway(client, n, 'released')
  if (client.joinOnly) {
    if (!node.room && rules.joinOpen) return turnAway(client, n, 'closed')
    if (!node.room) node.room = node.own ? OPEN : KEPT
    return enter(client, n)
  }
  if (!client.current) return turnAway(client, n, 'old')
  if (!node.own && rules.doors) return turnAway(client, n, 'lapsed')
  if (node.room !== OPEN && rules.claim) {
    const refusal = claimFor(client, n)
    if (refusal) return turnAway(client, n, refusal)
  }
  node.room = OPEN
  return enter(client, n)
}

/** Rule 4. @returns the reason for a rejection */
function claimFor (client, n) {
  const node = nodes[n]
  if (!reaches(n)) return 'unreachable'
  if (!node.lease) return 'lapsed'
  if (rules.nodeEpoch && !node.epoch) return 'epoch'
  if (isElsewhere(n)) return 'elsewhere'
  if (isUndone(n)) {
    if (isTold(n)) hearRelease(n)
    return 'moving'
  }
  if (client.before >= UNHEARD && binding.mark && rules.claimDate) {
    if (isTold(n)) hearRelease(n)
    return 'ended'
  }
  if (client.before >= UNHEARD) violate('REL', 'a signature from before the end opens the room again')
  if (isOver(n) || (rules.claimTells && isTold(n))) hearRelease(n)
  if (rules.claimTells && binding.mark) mark(n, 1, HEARD)
  judgeMove(n, true)
  bind(n, CLAIMED)
  return ''
}

/** @returns true if the node tells the store that the room is empty */
export function leave (client, state) {
  const n = client.node
  const node = nodes[n]
  setClient(client, state)
  if (node.room === KEPT || countInside(n)) return false
  close(n)
  if (!reaches(n) || !node.own) return false
  vacate(n)
  return true
}

/** Clears the memory of a process that ends. */
export function stop (n) {
  const node = nodes[n]
  close(n)
  node.up = DOWN
  node.own = node.epoch = node.cut = node.deaf = 0
  node.fault = 1
  mark(n, HEARD, FORGOTTEN)
  if (late.kind && late.node === n) late.retried = 0
}

/** Leaves cleanly: the registration is removed first, then the clients are told. */
export function withdraw (n) {
  const node = nodes[n]
  node.up = LEAVING
  node.lease = node.own = node.granted = node.known = node.ended = 0
  node.fault = 1
  if (node.room) node.room = KEPT
  if (late.kind && late.node === n) late.current = 0
}

/** True if a late claim, or the claim of a late registration, still counts. */
export function landClaim (n) {
  if (!nodes[n].lease || isElsewhere(n) || isUndone(n)) return false
  if (late.before >= UNHEARD && binding.mark && rules.claimDate) return false
  if (isBoundTo(n) && binding.state === LINGERING && rules.counter) return false
  bind(n, CLAIMED)
  return true
}
