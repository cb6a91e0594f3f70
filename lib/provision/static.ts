import { takesDeadline } from '../common/adapter-call.js'
import { addressFault, withNodePath } from '../common/address.js'
import { createAdapterState } from '../common/adapter-state.js'
import { keepsUrls } from '../common/kept-url.js'
import type { NodeRef } from '../../types/registry.js'
import type { Provision } from '../../types/provision.js'

/**
 * One external address for all nodes, known in advance.
 *
 * @param address `host`, `host:port` or a `wss://` URL, whose path is replaced by that of the node
 * @throws TypeError that names the option and the rule
 */
export function staticProvision (address: string): Provision {
  const fault = typeof address === 'string' ? addressFault(withNodePath(address, 'wss://node.invalid/')) : ''
  if (fault !== undefined) {
    const rule = '"address" option of staticProvision must be a host, host:port or wss:// URL'
    throw new TypeError(fault === '' ? rule : `${rule}: as a URL it ${fault}`)
  }
  const urlOf = (node: NodeRef) => withNodePath(address, node.wssUrl)
  const state = createAdapterState({ open: () => state.set('up') })

  return {
    start: state.start,
    status: state.status,
    close: state.close,
    externalUrl: keepsUrls(takesDeadline(async (node: NodeRef) => urlOf(node)), urlOf)
  }
}
