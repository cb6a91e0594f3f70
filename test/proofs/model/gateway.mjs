// Models a gateway: it asks the store for the room's node and signs, or answers from memory.
import { ASSIGNED, CLAIMED, HOLDING, NODE, binding, gateways, life, nodes, store, times } from './state.mjs'
import { bind, holder, isInDoubt, judgeMove } from './store.mjs'
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

/**
 * @param preferred the node that the gateway would give a new room to
 * @param isAnswered false when the gateway pauses before it signs
 * @returns the client's result, '' for none
 */
export function ask (client, g, preferred, isAnswered = true) {
  if (!canAsk(g)) return isAnswered ? answerFromMemory(client, g) : ''
  const bound = holder()
  if (bound < 0) {
    if (store.settling || (binding.node && isInDoubt())) return isAnswered ? answerFromMemory(client, g) : ''
    if (!nodes[preferred].lease) return ''
    judgeMove(preferred, true)
    bind(preferred, ASSIGNED)
  } else if (preferred !== bound) {
    return ''
  } else if (binding.state !== CLAIMED && rules.linger) {
    binding.linger = rules.skewLinger ? life() : times.ttl
  }
  gateways[g].remembers = preferred + 1
  gateways[g].current = 1
  sign(preferred)
  if (isAnswered) setClient(client, HOLDING, preferred, 1)
  return GETS[preferred]
}
