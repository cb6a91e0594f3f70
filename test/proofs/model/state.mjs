// Holds the state of the model: one byte per field while in use, a few 32-bit words while stored. `store.settling`,
// `nodes[1].lease` and so on read and write the state in use.

/** Times in ticks of one heartbeat, kept as countdowns, so that the number of states is finite. */
export const times = { lease: 2, margin: 0, ttl: 3, skew: 1, patience: 1, tail: 1, doubt: 2 }
/** Time from the date of a signature until no node accepts it. */
export const life = () => times.ttl + times.skew
/** Lease as the node measures it: a little shorter than the store's. */
export const ownLease = () => times.lease - times.margin

export const CLOSED = 0
export const OPEN = 1
/** State behind a shut door: the node lapsed, and the clients inside stay. */
export const KEPT = 2

export const DOWN = 0
export const UP = 1
/** State of a node that has withdrawn its registration and not disconnected its clients. */
export const LEAVING = 2

export const ASSIGNED = 1
export const CLAIMED = 2
/** State after the last client left, or the call ended. */
export const LINGERING = 3
/** State after an operator moved the room: the binding names the earlier node until another one is chosen. */
export const MOVING = 4

export const AWAY = 0
export const ASKING = 1
export const HOLDING = 2
export const INSIDE = 3

/**
 * Age of a signature relative to the end of the call, and the node's knowledge of that end. PRIOR: from before a move
 * that the node has not heard of; the store does not date moves.
 */
export const PRIOR = 1
export const UNHEARD = 2
export const HEARD = 3
export const FORGOTTEN = 4

/** Progress of the news of an end: the node has not heard it, or it heard and the store does not know. */
export const TOLD = 1
export const CLOSED_UNSAID = 2

/** Causes of the end of a node's open room; both may apply. */
export const CALL_ENDED = 1
export const MOVED = 2

export const HEARTBEAT = 1
export const CLAIM = 2
export const RESULT = 3
export const VACATE = 4
export const REGISTRATION = 5

/** Kinds that do not count towards the total of faults. */
export const ORDERS = ['move']
export const FAULTS = [
  'outage', 'wipe', 'lose', 'restore', 'cut', 'gatewayCut', 'crash', 'late', 'end', 'leave', 'deaf', 'clock', ...ORDERS
]
const MAX_NODES = 3

let size = 0
const widths = []
export const bytes = new Uint8Array(256)

/** Kinds of record, with the fields and the bits of each. */
function recordOf (fields) {
  const entries = Object.entries(fields)
  class Record {
    constructor () {
      this.at = size
      size += entries.length
      widths.push(...entries.map(([, bits]) => bits))
    }
  }
  for (const [i, [name]] of entries.entries()) {
    Object.defineProperty(Record.prototype, name, {
      get () { return bytes[this.at + i] },
      set (value) { bytes[this.at + i] = value }
    })
  }
  return Record
}

const Store = recordOf({
  reachable: 1,
  settling: 4,
  /** Ticks since any node was heard, up to the lease. */
  quiet: 3,
  /** Wiped or failed over during an outage: the first request after it starts the epoch. */
  turned: 1,
  /** The store had not settled when it last heard a node. */
  uneasy: 1,
  /** A whole round of heartbeats has passed while the binding of an open room is lost. Used by the properties only. */
  missed: 1
})
const Binding = recordOf({
  /** Number of the node + 1; 0 for none. */
  node: 2,
  /** The binding names the node's present incarnation. Incarnations are compared for equality only. */
  current: 1,
  state: 3,
  linger: 4,
  /** The binding carries the time at which the call ended. */
  mark: 1,
  /** News of the end to the node: 0 if it acknowledged, or needs none. */
  tell: 2,
  /** Number + 1 of the node that the room was moved away from. Used by the properties only. */
  left: 2
})
const Late = recordOf({
  kind: 3,
  node: 2,
  current: 1,
  age: 3,
  /** The message is of the store's epoch, and no newer claim overrides its release. */
  valid: 1,
  client: 1,
  before: 3,
  /** The node will send this very registration again. */
  retried: 1,
  /** The registration claims the room. */
  claims: 1
})
const Gateway = recordOf({ cut: 1, remembers: 2, current: 1 })
const Client = recordOf({
  state: 2,
  node: 2,
  current: 1,
  joinOnly: 1,
  age: 3,
  before: 3
})
const Budget = recordOf({ ...Object.fromEntries(FAULTS.map((kind) => [kind, 3])), total: 3 })
const Node = recordOf({
  up: 2,
  cut: 1,
  /** The node overlooks the ends that the store reports, and acknowledges none. */
  deaf: 1,
  /** Rest of the lease in the store. */
  lease: 3,
  /** Rest of the lease as the node measures it; 0 if it considers itself lapsed. */
  own: 3,
  /** Rest of the lease as it was granted: a wipe does not change it. Used by the properties only. */
  granted: 3,
  /** The store has an entry for the node, dead or alive. */
  known: 1,
  /** Ticks for which the node's disappearance counts as a doubt. */
  ended: 3,
  /** The node knows the store's epoch. */
  epoch: 1,
  room: 2,
  /** Ticks for which a client has been alone behind the shut door. */
  alone: 2,
  /** Rest of the latest signature for its present incarnation. Used by the properties only. */
  out: 3,
  /** The node was cut off, crashed or left since it last reached the store. Used by the properties only. */
  fault: 1,
  /** The call of the node's open room ended, or the room was moved. */
  over: 2
})

export const store = new Store()
export const binding = new Binding()
export const late = new Late()
export const gateways = [new Gateway(), new Gateway()]
export const clients = [new Client(), new Client()]
export const budget = new Budget()
const allNodes = Array.from({ length: MAX_NODES }, () => new Node())
export const nodes = []
const SIZE = size
const BUDGET_END = budget.at + FAULTS.length + 1

export const NODE = ['A', 'B', 'C']
export const CLIENT = ['recorder', 'replayer']

let fields = 0
let words = 0
const wordOf = new Uint8Array(SIZE)
const shiftOf = new Uint8Array(SIZE)
const maskOf = new Uint8Array(SIZE)

/** Nodes come last in the layout, so that fewer nodes make smaller states. */
export function useNodes (count) {
  nodes.splice(0, nodes.length, ...allNodes.slice(0, count))
  fields = count < MAX_NODES ? allNodes[count].at : SIZE
  words = 0
  let used = 0
  for (let i = 0; i < fields; i++) {
    if (used + widths[i] > 32) {
      words++
      used = 0
    }
    wordOf[i] = words
    shiftOf[i] = used
    maskOf[i] = (1 << widths[i]) - 1
    used += widths[i]
  }
  words++
}
useNodes(2)

export const wordCount = () => words
export const fieldCount = () => fields

export function pack (target, at) {
  for (let i = 0; i < words; i++) target[at + i] = 0
  for (let i = 0; i < fields; i++) {
    const value = bytes[i]
    if (value > maskOf[i]) throw new RangeError(`field ${i} holds ${value}`)
    target[at + wordOf[i]] |= value << shiftOf[i]
  }
}

export function unpack (source, at) {
  for (let i = 0; i < fields; i++) bytes[i] = (source[at + wordOf[i]] >>> shiftOf[i]) & maskOf[i]
}

/** Hashes the state without its budgets, and the way it is judged, to 52 bits. */
export function fingerprint (salt) {
  let a = 0x811c9dc5 ^ salt
  let b = 0x9e3779b9 + salt
  for (let i = 0; i < fields; i++) {
    if (i === budget.at) i = BUDGET_END
    a = Math.imul(a ^ bytes[i], 0x01000193)
    b = Math.imul(b ^ bytes[i], 0x85ebca6b)
    b ^= b >>> 13
  }
  return (a >>> 0) * 1048576 + ((b >>> 12) & 1048575)
}

/** Sets the initial state: all are up and registered, and no client has asked. */
export function begin (faults, total) {
  bytes.fill(0)
  store.reachable = 1
  for (const node of nodes) {
    node.up = node.epoch = node.known = 1
    node.lease = node.granted = times.lease
    node.own = ownLease()
  }
  clients[0].state = ASKING
  for (const kind of FAULTS) budget[kind] = Math.min(faults[kind] ?? 0, ORDERS.includes(kind) ? Infinity : total)
  budget.total = total
}
