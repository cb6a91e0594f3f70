import type { NodeRef, NodeView } from '../../types/registry.js'

/** The part of a node that an assignment contains. */
export function toNodeRef ({ id, incarnation, wssUrl, wssUrlOut }: NodeView): NodeRef {
  return wssUrlOut === undefined ? { id, incarnation, wssUrl } : { id, incarnation, wssUrl, wssUrlOut }
}
