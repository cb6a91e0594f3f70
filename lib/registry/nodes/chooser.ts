import { NodesFullError, NoLiveNodeError } from '../../errors.js'
import { memberOf } from './member.js'
import { GATEWAY, toChoiceText } from './room-history.js'
import { createOwnAssignments } from './own-assignments.js'
import type { AssignOptions, NodeView, RoomKey } from '../../../types/registry.js'

/** Most candidates that the store is given, to take the first live one. */
export const MAX_CANDIDATES = 8
/** Random nodes of which the least loaded is first: the very least loaded one would attract all gateways at once. */
const CONTESTANTS = 4

type Accepts = (node: NodeView) => boolean
export type ChoiceOptions = Pick<AssignOptions, 'accepts' | 'selectNode' | 'isKnown'>

/** Proposes nodes for new rooms. */
export interface Chooser {
  /** Takes the nodes of the latest reading. */
  update (nodes: readonly NodeView[], now?: number): void
  /** Returns up to eight nodes, best first. The cost does not grow with the number of nodes. */
  choose (room: RoomKey, options?: ChoiceOptions): NodeView[]
  /** What the latest choice was made from, as text for the history. `chosen` is its result. */
  describe (chosen: readonly NodeView[], options?: ChoiceOptions): string
  /** The reason why no node can be named: all are full, or none is live. */
  noNode (options?: ChoiceOptions): Error
  /** Counts a new room that the node's record does not include so far; -1 takes it back. */
  count (node: NodeView, change: 1 | -1): void
}

export interface ChooserOptions {
  /** Age in milliseconds that a record may have; nodes that are read again much sooner may show the same records. */
  reportAge?: number
  random?: () => number
}

const acceptAll: Accepts = () => true

export function createChooser ({ reportAge = 0, random = Math.random }: ChooserOptions = {}): Chooser {
  const own = createOwnAssignments()
  let view: readonly NodeView[] = []
  let eligible = new WeakMap<Accepts, NodeView[]>()
  let heads = new WeakMap<Accepts, string>()
  let turnedAt = -Infinity

  const hasRoom = (node: NodeView) => node.capacity === undefined || node.rooms + own.of(node) < node.capacity
  const load = (node: NodeView) => (node.rooms + own.ofAll(node)) / node.weight

  function eligibleTo (accepts: Accepts): NodeView[] {
    let nodes = eligible.get(accepts)
    if (nodes === undefined) {
      nodes = view.filter((node) => !node.draining && hasRoom(node) && accepts(node))
      eligible.set(accepts, nodes)
    }
    return nodes
  }

  /** The same for all choices until the next reading. */
  function headOf (accepts: Accepts): string {
    let head = heads.get(accepts)
    if (head === undefined) {
      const nodes = view.filter((node) => !node.draining)
      const free = nodes.filter(hasRoom)
      const accepted = free.filter(accepts)
      const counts = [view.length - nodes.length, nodes.length - free.length, free.length - accepted.length]
      head = [GATEWAY, accepted.length, ...counts].join('|')
      heads.set(accepts, head)
    }
    return head
  }

  /** Draws at random without repetition; drawn nodes move to the front, full ones are removed. */
  function draw (nodes: NodeView[]): NodeView[] {
    let drawn = 0
    while (drawn < MAX_CANDIDATES && drawn < nodes.length) {
      swap(nodes, drawn, drawn + Math.floor(random() * (nodes.length - drawn)))
      const node = nodes[drawn]
      if (node !== undefined && hasRoom(node)) drawn++
      else {
        swap(nodes, drawn, nodes.length - 1)
        nodes.pop()
      }
    }
    return nodes.slice(0, drawn)
  }

  function byLoad (nodes: NodeView[]): NodeView[] {
    return nodes
      .map((node) => ({ node, load: load(node) }))
      .sort((a, b) => a.load - b.load)
      .map(({ node }) => node)
  }

  return {
    update (nodes, now = performance.now()) {
      if (now - turnedAt >= reportAge / 2) {
        own.turn(nodes)
        turnedAt = now
      }
      view = nodes
      eligible = new WeakMap()
      heads = new WeakMap()
    },
    choose (room, { accepts = acceptAll, selectNode } = {}) {
      const nodes = eligibleTo(accepts)
      if (selectNode !== undefined) {
        const candidates = nodes.filter(hasRoom)
        return knownOf(candidates, selectNode(candidates.slice(), { room, ownAssignments: own.of }))
      }
      const drawn = draw(nodes)
      if (nodes.length <= MAX_CANDIDATES) return byLoad(drawn)
      return [...byLoad(drawn.slice(0, CONTESTANTS)), ...byLoad(drawn.slice(CONTESTANTS))]
    },
    describe: (chosen, { accepts = acceptAll } = {}) =>
      toChoiceText(headOf(accepts), chosen.map((node) => `${node.id} ${Math.round(load(node) * 100) / 100}`)),
    noNode ({ accepts = acceptAll } = {}) {
      const serving = view.filter((node) => !node.draining && accepts(node))
      return serving.length > 0 && !serving.some(hasRoom) ? new NodesFullError() : new NoLiveNodeError()
    },
    count: own.add
  }
}

/** The first eight candidates of a `selectNode` result, each once. */
function knownOf (candidates: NodeView[], chosen: readonly NodeView[]): NodeView[] {
  if (!Array.isArray(chosen)) throw new TypeError('"selectNode" must return an array of candidates')
  const byName = new Map(candidates.map((node) => [memberOf(node), node]))
  const known = new Set<NodeView>()
  for (const entry of chosen) {
    const node = entry && byName.get(memberOf(entry))
    if (node) known.add(node)
    if (known.size === MAX_CANDIDATES) break
  }
  return [...known]
}

function swap (nodes: NodeView[], a: number, b: number): void {
  const [first, second] = [nodes[a], nodes[b]]
  if (first === undefined || second === undefined) return
  nodes[a] = second
  nodes[b] = first
}
