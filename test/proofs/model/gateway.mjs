// Models a gateway: it asks the store for the room's node and signs, or answers from memory.
import { ASSIGNED, CLAIMED, HOLDING, MOVING, NODE, binding, gateways, life, nodes, store, times } from './state.mjs'
import { bind, holder, isInDoubt, isMovingFrom, judgeMove, judgeReturn, moveLasts, mustWait } from './store.mjs'
import { setClient } from './node.mjs'
import { rules, violate } from './judge.mjs'

const GETS = NODE.map((name) => `gets a signature for ${name}`)
const GETS_JOIN_ONLY = NODE.map((name) => `gets a join-only signature for ${name}`)

export const canAsk = (g) => store.reachable === 1 && !gateways[g].cut

/** Issues a normal signature. */
export function sign (n) {
  if (!nodes[n].granted) violate('I3', `a signature names ${NODE[n]}, which was declared dead`)
  for (const [m, node] of nodes.entries()) {
    if (m === n || !node.out || !node.granted) continue
    violate('I1', `signatures for ${NODE[m]} and ${NODE[n]} are unexpired, and ${NODE[m]} was not declared dead`)
  }
  judgeReturn(n)
  nodes[n].out = life()
}

/** Rule 9. */
function answerFromMemory (client, g) {
  const gateway = gateways[g]
  if (!gateway.remembers) return ''
  const n = gateway.remembers - 1
  if (rules.joinOnly) {
    setClient(client, HOLDING, n, 1, 1)
    return GETS_JOIN_ONLY[n]
  }
  sign(n)
  setClient(client, HOLDING, n, gateway.current)
  return GETS[n]
}

const NONE = -1
const WAITS = -2

/** @returns the node that requests get, NONE if one is to be chosen, WAITS while the room leaves its node (rule 12) */
function boundNode () {
  if (binding.state !== MOVING || !rules.moveBound) return holder()
  return mustWait() ? WAITS : NONE
}

const mayChoose = (n) => nodes[n].lease > 0 && !(isMovingFrom(n) && rules.moveAway)

/**
 * @param preferred the node that the gateway would give a new room to
 * @param isAnswered false when the gateway pauses before it signs
 * @returns the client's result, '' for none
 */
export function ask (client, g, preferred, isAnswered = true) {
  const bound = boundNode()
  if (bound === WAITS && canAsk(g) && !rules.moveExpires) binding.linger = moveLasts()
  const mustSettle = bound === NONE && (store.settling > 0 || (binding.node > 0 && isInDoubt()))
  if (!canAsk(g) || bound === WAITS || mustSettle) return isAnswered ? answerFromMemory(client, g) : ''
  if (bound === NONE) {
    if (!mayChoose(preferred)) return ''
    judgeMove(preferred, true)
    bind(preferred, ASSIGNED)
  } else if (preferred !== bound) {
    return ''
  } else {
    prolong()
  }
  gateways[g].remembers = preferred + 1
  gateways[g].current = 1
  sign(preferred)
  if (isAnswered) setClient(client, HOLDING, preferred, 1)
  return GETS[preferred]
}

function prolong () {
  if (binding.state !== CLAIMED && rules.linger) binding.linger = rules.skewLinger ? life() : times.ttl
}
