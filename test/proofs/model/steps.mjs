// Generates every step that can follow a state.
import {
  ASKING, AWAY, CLAIM, CLIENT, DOWN, HEARD, HEARTBEAT, HOLDING, INSIDE, KEPT, LEAVING, MOVING, NODE, OPEN, ORDERS,
  REGISTRATION, RESULT, UP, VACATE, binding, budget, bytes, clients, fieldCount, gateways, late, life, nodes, ownLease,
  store, times
} from './state.mjs'
import {
  dropLate, endCall, forgetBinding, hear, isBoundTo, isElsewhere, isMovingFrom, isOutdated, judgeMove, loseMemory,
  moveRoom, prolong, renewIncarnation, sendLate, startEpoch, vacate
} from './store.mjs'
import {
  claimAgain, close, contact, countAsHeard, isDue, landClaim, leave, mayClaimKept, reaches, setClient, show, stop,
  tick, withdraw
} from './node.mjs'
import { ask, canAsk, sign } from './gateway.mjs'
import { rules, violate, violations } from './judge.mjs'

const parent = new Uint8Array(bytes.length)
let onStep

const both = (names, text) => names.map((name) => [0, 1].map((g) => `${name} ${text} ${g}`))
const ASKS = both(CLIENT, 'asks gateway')

const isOrder = (kind) => ORDERS.includes(kind)
const can = (kind) => (budget.total > 0 || isOrder(kind)) && budget[kind] > 0
function pay (...kinds) {
  if (!kinds.every(isOrder)) budget.total--
  for (const kind of kinds) budget[kind]--
}

/** Passes on the complete state, and returns to its predecessor. */
function emit (...label) {
  onStep(label)
  for (let i = 0; i < fieldCount(); i++) bytes[i] = parent[i]
  violations.length = 0
}

/** @param each called once per step, with the resulting state in place; the label parts describe the step */
export function forEachStep (each) {
  parent.set(bytes)
  onStep = each
  violations.length = 0
  // At the beginning all choices are equal, so the recorder asks first, gateway 0 answers, and A is chosen.
  const isFirst = !binding.node && !nodes.some((node) => node.out) && !gateways.some((gateway) => gateway.remembers)
  if (!nodes.some((_, n) => isDue(n)) && !isFirst) passOneTick()
  for (let n = 0; n < nodes.length; n++) nodeSteps(n, isFirst)
  for (let c = 0; c < (isFirst ? 1 : clients.length); c++) clientSteps(c, isFirst)
  if (isFirst) return
  storeSteps()
  lateSteps()
}

function passOneTick () {
  tick()
  for (const client of clients) if (client.state === HOLDING && ++client.age >= life()) setClient(client, ASKING)
  if (late.kind && late.age < life()) late.age++
  emit('time passes')
}

function nodeSteps (n, isFirst) {
  const node = nodes[n]
  if (isDue(n)) emit(NODE[n], contact(n))
  const isOdd = !isBoundTo(n) || isMovingFrom(n)
  if (rules.slowBeat && node.room === OPEN && reaches(n) && node.own && node.lease && node.epoch && isOdd) {
    claimAgain(n)
    emit(NODE[n], 'claims again on the slow beat')
  }
  if (node.up === DOWN) {
    node.up = UP
    node.cut = 0
    emit(NODE[n], 'starts again')
  }
  if (node.up === LEAVING) {
    stop(n)
    emit(NODE[n], 'sends its clients away and ends')
  }
  if (node.cut) {
    node.cut = 0
    emit(NODE[n], 'can reach the store again')
  }
  if (isFirst || node.up !== UP) return
  if (can('crash')) {
    pay('crash')
    stop(n)
    emit(NODE[n], 'crashes')
  }
  if (!node.deaf && can('deaf')) {
    pay('deaf')
    node.deaf = 1
    emit(NODE[n], 'overlooks ends of calls from now on')
  }
  if (reaches(n) && node.own && can('leave')) {
    pay('leave')
    withdraw(n)
    emit(NODE[n], 'withdraws its registration to leave')
  }
  if (!node.cut && can('cut')) cutSteps(n)
}

function cutSteps (n) {
  const node = nodes[n]
  pay('cut')
  node.cut = node.fault = 1
  emit(NODE[n], 'is cut off from the store (clients still reach it)')
  if (!can('late') || late.kind) return
  // Possible only after the store reported the lapse, or a new epoch.
  const registers = !node.own && store.reachable && !(rules.resume && node.lease && node.epoch)
  if (!node.own && !registers) return
  pay('cut', 'late')
  sendLate(registers ? REGISTRATION : HEARTBEAT, n)
  late.retried = late.kind === REGISTRATION ? 1 : 0
  late.claims = registers && node.room === KEPT ? 1 : 0
  node.cut = node.fault = 1
  emit(NODE[n], 'is cut off,', registers ? 'its registration under way' : 'a heartbeat under way')
}

function clientSteps (c, isFirst) {
  const client = clients[c]
  const { state, node: n } = client
  if (state === AWAY) {
    setClient(client, ASKING)
    emit(CLIENT[c], 'comes')
  }
  if (state === ASKING) for (let g = 0; g < (isFirst ? 1 : 2); g++) askSteps(c, g, isFirst)
  if (state === HOLDING) {
    emit(CLIENT[c], show(client))
    setClient(client, ASKING)
    emit(CLIENT[c], 'drops its signature')
    claimWithoutAnswer(c)
  }
  if (state !== INSIDE) return
  for (const to of [ASKING, AWAY]) {
    const verb = to ? 'reloads' : 'leaves'
    const told = leave(client, to)
    emit(CLIENT[c], verb)
    if (!told || !can('late') || late.kind) continue
    pay('late')
    setClient(client, to)
    close(n)
    sendLate(VACATE, n)
    emit(CLIENT[c], verb, 'and what the node tells the store gets no answer')
  }
}

function askSteps (c, g, isFirst) {
  for (let n = 0; n < (isFirst || !canAsk(g) ? 1 : nodes.length); n++) {
    const got = ask(clients[c], g, n)
    if (got) emit(ASKS[c][g], 'and', got)
    if (isFirst || !canAsk(g) || !can('late') || late.kind) continue
    const chosen = ask(clients[c], g, n, false)
    if (!chosen) continue
    pay('late')
    sendLate(RESULT, n)
    late.client = c
    emit(ASKS[c][g], 'which pauses after the store chose', NODE[n])
  }
}

function claimWithoutAnswer (c) {
  const client = clients[c]
  const n = client.node
  const node = nodes[n]
  if (!can('late') || late.kind || client.joinOnly || !client.current || !rules.claim) return
  if (!node.own || node.room === OPEN || !node.epoch) return
  const { before } = client
  if (before === HEARD && rules.refuse) return
  pay('late')
  setClient(client, ASKING)
  sendLate(CLAIM, n)
  late.before = before
  emit(CLIENT[c], 'comes to', NODE[n], 'whose claim gets no answer, and is turned away')
}

function storeSteps () {
  if (store.reachable && can('outage')) {
    pay('outage')
    store.reachable = 0
    emit('the store becomes unreachable')
  }
  if (!store.reachable) {
    store.reachable = 1
    startEpoch()
    emit('the store is back')
  }
  if (can('wipe')) {
    pay('wipe')
    loseMemory(true)
    emit('the store is wiped')
    pay('wipe')
    loseMemory(false)
    emit('the store fails over and notices: all bindings are void')
  }
  if (binding.node && can('lose')) {
    pay('lose')
    forgetBinding()
    emit('the store fails over and does not notice: the binding is lost')
  }
  if (binding.node && can('restore')) {
    pay('restore')
    if (rules.remember) loseMemory(false)
    else forgetBinding()
    emit('the store is set back to older data, from before the binding')
  }
  if (!gateways[1].cut && can('gatewayCut')) {
    pay('gatewayCut')
    gateways[1].cut = 1
    emit('gateway 1 is cut off from the store')
  }
  if (gateways[1].cut) {
    gateways[1].cut = 0
    emit('gateway 1 reaches the store again')
  }
  if (store.reachable && (binding.node || nodes.some((node) => node.room)) && can('end')) {
    pay('end')
    endCall()
    emit('a gateway ends the call')
  }
  if (store.reachable && binding.node && binding.state !== MOVING && can('move')) moveSteps()
}

function moveSteps () {
  pay('move')
  moveRoom()
  emit('an operator moves the room')
  if (!can('clock')) return
  pay('move', 'clock')
  moveRoom(times.skew)
  emit('an operator moves the room, by a clock that is behind: young signatures count as later ones')
}

function lateSteps () {
  if (!late.kind || (!store.reachable && late.kind !== RESULT)) return
  const { kind, node: n, current, valid, age } = late
  if (isOutdated()) {
    dropLate()
    emit(NODE[n], 'sent a message that arrives late and is refused: another epoch')
    return
  }
  if (kind === HEARTBEAT) {
    landHeartbeat(n, current, valid)
    const { own } = nodes[n]
    const sentOwn = ownLease() > age ? ownLease() - age : 0
    dropLate()
    emit(NODE[n], 'sent a heartbeat that arrives late; the answer is lost')
    // The same message again, and its answer arrives.
    if (!current || !own || sentOwn <= own || !nodes[n].lease) return
    landHeartbeat(n, current, valid)
    nodes[n].own = sentOwn
    dropLate()
    emit(NODE[n], 'sent a heartbeat that arrives late, and hears the answer')
    return
  }
  if (kind === RESULT) return landResult(n)
  if (kind === CLAIM) {
    if (current) {
      if (!isElsewhere(n)) judgeMove(n, true)
      if (!landClaim(n)) violations.length = 0
    }
    dropLate()
    emit(NODE[n], 'sent a claim that arrives late')
  } else if (kind === VACATE) {
    if (current && valid) vacate(n)
    dropLate()
    emit(NODE[n], 'said that its room is empty, which arrives late')
  } else {
    landRegistration(n)
    dropLate()
    emit(NODE[n], 'sent a registration that arrives late; its answer is lost')
  }
}

function landHeartbeat (n, current, valid) {
  hear(n)
  const node = nodes[n]
  if (current && node.lease) {
    prolong(n)
    countAsHeard(n)
  } else if (!valid && store.settling) {
    // Without rule 6 the node registers in the new epoch.
    if (current) prolong(n)
    else if (node.up === UP && node.lease && !rules.registerOnce) {
      violate('OUST', `a late heartbeat of an older incarnation displaces the living ${NODE[n]}`)
    }
  }
}

function landRegistration (n) {
  const node = nodes[n]
  if (!late.current) {
    if (!rules.registerOnce && node.up === UP && node.lease && node.own) {
      violate('OUST', `a late registration of an older incarnation displaces the living ${NODE[n]}`)
    }
    return
  }
  const isSecond = !late.retried
  // The same registration came through by another way: it must not revive an ended call.
  if (isSecond && !node.lease) return
  hear(n)
  if (!isSecond) renewIncarnation(n)
  prolong(n)
  countAsHeard(n)
  if (!late.claims || isElsewhere(n) || !mayClaimKept(n)) return
  judgeMove(n, false)
  if (!landClaim(n)) violations.length = 0
}

function landResult (n) {
  const { age, before, current, client: c } = late
  const client = clients[c]
  dropLate()
  if (client.state === ASKING && age < life()) {
    setClient(client, HOLDING, n, current)
    client.before = before
    if (rules.date) client.age = age
    else sign(n)
  }
  emit(CLIENT[c], 'gets the late answer:', NODE[n])
}
