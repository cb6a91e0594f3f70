import type { NodeRef } from '../../../types/registry.js'

/** One registration of a node, as every store writes it: `id|incarnation`. Neither part holds the sign. */
export function memberOf ({ id, incarnation }: Pick<NodeRef, 'id' | 'incarnation'>): string {
  return `${id}|${incarnation}`
}

/** A name that others wrote may have the sign in its id: the last one counts. */
export function splitMember (member: string): { id: string, incarnation: string } {
  const at = member.lastIndexOf('|')
  return { id: member.slice(0, Math.max(0, at)), incarnation: member.slice(at + 1) }
}
