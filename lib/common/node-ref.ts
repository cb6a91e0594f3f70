import type { NodeRef, NodeView } from '../../types/registry.js'

/** What an assignment says of the node. */
export function toNodeRef ({ id, incarnation, wssUrl, wssUrlOut }: NodeView): NodeRef {
  return wssUrlOut === undefined ? { id, incarnation, wssUrl } : { id, incarnation, wssUrl, wssUrlOut }
}
