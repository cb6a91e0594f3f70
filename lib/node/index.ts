// A node checks signatures: the first client must not wait for the library.
import 'jose'
import { systemClock } from '../common/clock.js'
import { verifyWith } from '../signing/verify.js'
import { createNodeMetrics } from './metrics.js'
import { createNode } from './node.js'
import { readNodeOptions } from './options.js'
import type { CobrowseNode, NodeOptions } from '../../types/node.js'

/**
 * Makes this process a relay node: registers it, and from then on tells which clients to admit and which to disconnect.
 *
 * @throws TypeError that names the option; any other error if the registry is unavailable
 */
export async function joinCobrowse (options: NodeOptions): Promise<CobrowseNode> {
  const { registry, signing, metrics: host, ...settings } = readNodeOptions(options)
  const { keys, ttl, skew } = signing
  keys.onFault((reason) => {
    const { id } = settings.record
    process.emitWarning(`"signing.keys" of node ${id} has no usable keys, the last ones stay: ${reason}`, {
      code: 'FST_COBROWSE_SIGNING_KEYS'
    })
  })
  const metrics = host && await createNodeMetrics(host)
  return await createNode({ ...settings, signing }, {
    clock: systemClock,
    verify: async (signature, at) => await verifyWith(keys, signature, { ttl, skew, ...at, acceptJoinOnly: true }),
    join: async (record) => await registry.join(record),
    metrics
  })
}

export { AdmissionError } from './admission-error.js'
export { readOffer } from './offer.js'
export type { Offer } from './offer.js'
export type * from '../../types/node.js'
