import { leastLoaded } from './placement.js'
import { ReasonError, toReason } from '../common/reason.js'
import { refusePromise } from '../common/refuse-promise.js'
import type { FastifyBaseLogger } from 'fastify'
import type { SelectNode } from '../../types/registry.js'

/**
 * The `selectNode` of the host. If it fails, rooms are still placed, by the load of the nodes; the first of several
 * failures in a row is logged.
 */
export function guardSelectNode (selectNode: SelectNode, log: FastifyBaseLogger): SelectNode {
  let isFailing = false
  return (candidates, context) => {
    try {
      const chosen: unknown = selectNode(candidates, context)
      refusePromise(chosen, '"selectNode"')
      if (!Array.isArray(chosen)) throw new ReasonError('"selectNode" must return an array of candidates')
      isFailing = false
      return chosen
    } catch (error) {
      if (!isFailing) log.warn({ reason: toReason(error) }, '"selectNode" failed: rooms go to the least loaded nodes')
      isFailing = true
      return leastLoaded(candidates, context)
    }
  }
}
