import type { FastifyBaseLogger } from 'fastify'
import type { Adapter, AdapterContext, BackendStatus } from '../../types/adapter.js'

/** The part of an adapter that is alike in all: counted starts and closes, and the state. */
export interface Backend extends Adapter {
  /** Changes the state; says nothing when state and reason are what they were. */
  set (state: BackendStatus['state'], reason?: string): void
  /** The log of the first of the plugin instances that started the adapter and did not close it; if there is one. */
  readonly log: FastifyBaseLogger | undefined
  /** Whether one of these instances accepts it. */
  acceptsAddress (address: string): boolean
}

export interface BackendHooks {
  /** On the first start. */
  open? (): void
  /** On the last close. */
  end? (): Promise<void> | void
  /** Milliseconds since the view was read, if there is one. */
  viewAgeMs? (): number | undefined
}

/** An adapter may be shared by several plugin instances, so it opens at the first start and ends at the last close. */
export function createBackend (hooks: BackendHooks = {}): Backend {
  /** Of the instances that started it and did not close it, in the order of their starts. */
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
      // An answer may still come after the close.
      if (current.state !== 'closed') change(state, reason)
    },
    get log () {
      return contexts[0]?.log
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
      return viewAgeMs === undefined ? { ...current } : { ...current, viewAgeMs }
    },
    async close (context) {
      const at = context === undefined ? 0 : contexts.indexOf(context)
      // An instance that failed before it started the adapter must not close it for the others.
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
