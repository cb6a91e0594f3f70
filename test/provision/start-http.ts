import { httpProvision } from '../../lib/provision/http.js'
import { ProvisionUnavailableError } from '../../lib/errors.js'
import { silentLog } from '../support/silent-log.js'
import type { Test } from 'tap'
import type { BackendStatus, HttpProvisionOptions, NodeRef, Provision, Session } from '../../types/index.js'

export const session: Session = { tenantId: 't1', channelId: 'web', userId: 'u1' }
export const node: NodeRef = { id: 'n1', incarnation: 'i1', wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1' }

export const GOOD = 'entry.example:8443'
export const GOOD_URL = 'wss://entry.example:8443/ws/cobrowse/1'

export interface StartedProvision {
  provision: Provision
  /** All state changes. */
  states: BackendStatus[]
  ask (tenantId?: string, signal?: AbortSignal): Promise<string | null>
  /** Asks, expects 50304 within the time that any request may take, and returns the reason. */
  askInVain (t: Test, tenantId?: string): Promise<string>
}

export interface Setup {
  acceptsAddress? (address: string): boolean
}

/** Starts an httpProvision that is closed at the end of the test. */
export function startHttp (t: Test, options: HttpProvisionOptions, setup: Setup = {}): StartedProvision {
  const provision = httpProvision(options)
  const states: BackendStatus[] = []
  provision.start({ log: silentLog, onState: (status) => { states.push(status) }, ...setup })
  t.teardown(() => provision.close())
  const asTenant = (tenantId: string): Session => ({ ...session, tenantId })

  async function ask (tenantId = 't1', signal = AbortSignal.timeout(60_000)): Promise<string | null> {
    return await provision.externalUrl(node, asTenant(tenantId), signal)
  }
  async function askInVain (t: Test, tenantId = 't1'): Promise<string> {
    const startedAt = performance.now()
    const error = await ask(tenantId).then((url) => t.fail(`got ${url}`), (error: unknown) => error)
    t.ok(performance.now() - startedAt < 3000, 'the request ends in time')
    if (!(error instanceof ProvisionUnavailableError)) throw error
    return error.cause instanceof Error ? error.cause.message : ''
  }
  return { provision, states, ask, askInVain }
}
