import type { NodeRef } from '../../../types/registry.js'

/** One registration of a node, as every store writes it: `id|incarnation`. Neither part contains `|`. */
export function memberOf ({ id, incarnation }: Pick<NodeRef, 'id' | 'incarnation'>): string {
  return `${id}|${incarnation}`
}

/** Splits at the last `|`, since a member that another program wrote may have one in its id. */
export function splitMember (member: string): { id: string, incarnation: string } {
  const at = member.lastIndexOf('|')
  return { id: member.slice(0, Math.max(0, at)), incarnation: member.slice(at + 1) }
}
