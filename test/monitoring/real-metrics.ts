import { Registry as PromRegistry } from 'prom-client'
import * as errors from '../../lib/errors.js'
import { memoryRegistry } from '../../lib/index.js'
import { joinCobrowse } from '../../lib/node/index.js'
import { body, buildApp, session, signing } from '../support/build-app.js'
import { issuerWith } from '../support/issuer.js'
import type { Test } from 'tap'
import type { Outcome } from '../../lib/gateway/metrics.js'

/** Metric → label → values. */
export type RealMetrics = Map<string, Map<string, Set<string>>>

const GONE: Outcome = 'gone'
/** The code of a caller that left, and of an answer by a hook of the host. */
const NO_CODE = 'none'

/** Runs a gateway and a node, and returns the metrics that they show after one request of each kind. */
export async function collectMetrics (t: Test): Promise<RealMetrics> {
  const metrics = new PromRegistry()
  const registry = memoryRegistry()
  const node = await joinCobrowse({ registry, id: 'n1', wssUrl: 'wss://10.1.2.3/ws', signing, metrics })
  t.teardown(async () => await node.close())
  const { ask } = await buildApp(t, { options: { registry, metrics } })
  for (const kind of ['cordon', 'drain'] as const) {
    await registry.operations?.setOrder(`under-${kind}`, { kind, reason: 'broken', author: 'anna' })
  }
  await ask()
  await ask({ payload: {} })
  await node.drain({ deadline: 0 })
  await node.undrain()
  const issue = issuerWith(signing)
  const { tenantId: tenant, userId: user } = session
  const seat = await node.admit(issue({
    tenant, room: body.roomId, user, name: 'U', role: 'recorder', node, issuedAt: Date.now()
  }))
  seat.leave()
  await node.admit('no signature').catch(() => {})
  await node.drain({ deadline: 0 })
  await ask({ payload: { ...body, roomId: 'another' } })
  const found = readMetrics(await metrics.metrics())
  addUnseen(found)
  return found
}

function readMetrics (text: string): RealMetrics {
  const found: RealMetrics = new Map()
  for (const [, metric = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const ofMetric = found.get(metric) ?? new Map<string, Set<string>>()
    found.set(metric, ofMetric)
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      ofMetric.set(label, (ofMetric.get(label) ?? new Set()).add(value))
    }
  }
  return found
}

/** A caller that leaves, and each error of the catalogue, would take many requests. */
function addUnseen (found: RealMetrics): void {
  const requests = found.get('cobrowse_requests_total')
  requests?.get('outcome')?.add(GONE)
  requests?.get('ret_code')?.add(NO_CODE)
  for (const RequestError of Object.values(errors)) {
    requests?.get('ret_code')?.add(new RequestError().code.replace('FST_COBROWSE_', ''))
  }
}
