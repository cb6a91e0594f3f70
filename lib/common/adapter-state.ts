import type { FastifyBaseLogger } from 'fastify'
import type { Adapter, AdapterContext, BackendStatus } from '../../types/adapter.js'

/** The part that all adapters share: counted starts and closes, and the state. */
export interface AdapterState extends Adapter {
  /** Changes the state. Reports nothing if neither the state nor its reason changed. */
  set (state: BackendStatus['state'], reason?: string): void
  readonly isClosed: boolean
  /** Log of the earliest plugin instance that started the adapter and has not closed it, if there is one. */
  readonly log: FastifyBaseLogger | undefined
  /** Logs and counts a node record that cannot be read. */
  rejectRecord (node: string, reason: string): void
  /** Whether one of these instances accepts the address. */
  acceptsAddress (address: string): boolean
}

export interface AdapterStateHooks {
  /** Runs at the first start. */
  open? (): void
  /** Runs at the last close. */
  end? (): Promise<void> | void
  /** Milliseconds since the view was read, if there is one. */
  viewAgeMs? (): number | undefined
}

/** Several plugin instances may share an adapter, so it opens at the first start and ends at the last close. */
export function createAdapterState (hooks: AdapterStateHooks = {}): AdapterState {
  /** Contexts of the instances that started the adapter and have not closed it, in the order of their starts. */
  let contexts: AdapterContext[] = []
  let current: BackendStatus = { state: 'starting', since: Date.now() }

  function change (state: BackendStatus['state'], reason?: string): void {
    if (state === current.state && reason === current.reason) return
    const since = state === current.state ? current.since : Date.now()
    current = reason === undefined ? { state, since } : { state, since, reason }
    for (const context of [...contexts]) context.onState(current)
  }

  return {
    set (state, reason) {
      // A reply can still arrive after the close.
      if (current.state !== 'closed') change(state, reason)
    },
    get isClosed () {
      return current.state === 'closed'
    },
    get log () {
      return contexts[0]?.log
    },
    rejectRecord (node, reason) {
      contexts[0]?.log.warn({ node, reason }, 'node record rejected')
      // The plugin for operators starts the adapter as well, and counts nothing.
      contexts.find(({ onRejectedRecord }) => onRejectedRecord !== undefined)?.onRejectedRecord?.()
    },
    acceptsAddress: (address) =>
      contexts.length === 0 || contexts.some(({ acceptsAddress }) => acceptsAddress?.(address) ?? true),
    start (context) {
      contexts.push(context)
      if (current.state === 'closed') change('starting')
      else context.onState(current)
      if (contexts.length === 1) hooks.open?.()
    },
    status () {
      const viewAgeMs = hooks.viewAgeMs?.()
      return viewAgeMs === undefined ? { ...current } : { viewAgeMs, ...current }
    },
    async close (context) {
      const at = context === undefined ? 0 : contexts.indexOf(context)
      // An instance that failed before it started the adapter must not close the adapter for the others.
      if (current.state === 'closed' || at === -1) return
      if (contexts.length > 1) {
        contexts.splice(at, 1)
        return
      }
      change('closed')
      contexts = []
      await hooks.end?.()
    }
  }
}
