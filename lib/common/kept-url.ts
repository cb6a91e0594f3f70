import type { Provision } from '../../types/provision.js'
import type { NodeRef } from '../../types/registry.js'
import type { Session } from '../../types/sessions.js'

/** @returns `undefined` if the address has to be asked for */
export type KeptUrl = (node: NodeRef, session: Session) => string | undefined

const shortcuts = new WeakMap<Provision['externalUrl'], KeptUrl>()

/**
 * Marks the method of an adapter of ours that often knows the address: then no promise and no time limit is needed. The
 * shortcut belongs to the method, not to the adapter, so that a host can replace the method.
 */
export function keepsUrls (externalUrl: Provision['externalUrl'], keptUrl: KeptUrl): Provision['externalUrl'] {
  shortcuts.set(externalUrl, keptUrl)
  return externalUrl
}

/** The address that the adapter holds in its memory. */
export function keptUrlOf ({ externalUrl }: Provision, node: NodeRef, session: Session): string | undefined {
  return shortcuts.get(externalUrl)?.(node, session)
}
