import { addressFault } from '../../lib/common/address.js'
import { silentLog } from '../support/silent-log.js'
import type { Test } from 'tap'
import type { BackendStatus, NodeRef, Provision, Session } from '../../types/index.js'

export const session: Session = { tenantId: 't1', channelId: 'web', userId: 'u1' }
export const node: NodeRef = { id: 'n1', incarnation: 'i1', wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1' }
const otherNode: NodeRef = { id: 'n2', incarnation: 'i2', wssUrl: 'wss://10.1.2.4:8443/ws/cobrowse/2' }
const signal = AbortSignal.timeout(60_000)

/** Every sentence of `Provision` in types/provision.ts. `make` gives an adapter that can be asked. */
export function provisionContract (t: Test, make: (t: Test) => Promise<Provision>): void {
  t.test('the external address leads to the node that was asked for', async (t) => {
    const provision = await make(t)
    const [first, second] = await Promise.all([
      provision.externalUrl(node, session, signal), provision.externalUrl(otherNode, session, signal)
    ])
    t.equal(addressFault(first), undefined)
    t.equal(addressFault(second), undefined)
    t.equal(new URL(String(first)).host, new URL(String(second)).host)
    t.equal(new URL(String(first)).pathname, '/ws/cobrowse/1')
    t.equal(new URL(String(second)).pathname, '/ws/cobrowse/2')
  })

  t.test('a call whose answer is of no use does not hang, and hurts no other', async (t) => {
    const provision = await make(t)
    const gone = provision.externalUrl(node, session, AbortSignal.abort(new Error('gone'))).catch((error) => error.message)
    const url = await provision.externalUrl(node, session, signal)
    t.match(String(url), /^wss:/)
    t.match(await gone, /^(gone|wss:)/)
  })

  t.test('prefetch returns at once, before and after the close too', async (t) => {
    const provision = await make(t)
    t.equal(provision.prefetch?.(session), undefined)
    await provision.close()
    t.equal(provision.prefetch?.(session), undefined)
  })

  t.test('it opens at the first start and ends at the last close', async (t) => {
    const provision = await make(t)
    const states: string[] = []
    const context = { log: silentLog, onState: ({ state }: BackendStatus) => { states.push(state) } }
    provision.start(context)
    provision.start(context)
    await provision.externalUrl(node, session, signal)
    t.equal(provision.status().state, 'up')
    await provision.close()
    t.equal(provision.status().state, 'up', 'another instance still uses it')
    t.match(await provision.externalUrl(node, session, signal), /^wss:/)
    await provision.close()
    t.equal(provision.status().state, 'closed')
    await t.resolves(provision.close(), 'closing again does nothing')
    t.ok(states.includes('up') && states.at(-1) === 'closed')
  })

  t.test('what was closed can be started again', async (t) => {
    const provision = await make(t)
    const context = { log: silentLog, onState: () => {} }
    provision.start(context)
    await provision.close()
    provision.start(context)
    t.match(await provision.externalUrl(node, session, signal), /^wss:/)
    t.equal(provision.status().state, 'up')
    await provision.close()
  })
}
