import { toLine } from '../nodes.js'
import { ok, warning } from './finding.js'
import type { Finding } from './finding.js'
import type { NodeOrder, OperatedNode } from '../../../types/operations.js'

const DAY_MS = 86_400_000
const MAX_LINES = 10
const FIX = 'take it back if it is no longer needed: fastify-cobrowse uncordon'

/**
 * Judges orders: a forgotten one keeps a node out of service.
 *
 * @param now in milliseconds since the epoch
 */
export function judgeOrders (nodes: OperatedNode[], now: number): Finding[] {
  const ordered = nodes.flatMap(({ id, state, order }) => order === undefined ? [] : { id, state, order })
  const kept = ordered.filter(({ state, order }) => state === 'gone' || isOld(order, now))
  if (kept.length === 0) {
    return [ok('orders', ordered.length === 0 ? 'there is none' : `${ordered.length}, none older than a day`)]
  }
  const lines = kept.slice(0, MAX_LINES).map(({ id, state, order }) => {
    const about = [...isOld(order, now) ? ['older than a day'] : [], ...state === 'gone' ? ['its node is gone'] : []]
    return warning('orders', `${id}: ${toLine(order)} (${about.join(', ')})`, `${FIX} ${id}`)
  })
  const others = kept.length - lines.length
  return others === 0 ? lines : [...lines, warning('orders', `${others} more that are old, or whose node is gone`, FIX)]
}

const isOld = ({ at }: NodeOrder, now: number) => now - at > DAY_MS
