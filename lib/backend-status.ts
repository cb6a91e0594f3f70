import type { FastifyBaseLogger } from 'fastify'
import type { Adapter, AdapterContext, BackendStatus } from '../types/adapter.js'

/** The part of an adapter that is alike in all: counted starts and closes, and the state. */
export interface Backend extends Adapter {
  /** Changes the state; says nothing when state and reason are what they were. */
  set (state: BackendStatus['state'], reason?: string): void
  /** The log of the first plugin instance that started the adapter, if one did. */
  readonly log: FastifyBaseLogger | undefined
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
  let contexts: AdapterContext[] = []
  let users = 0
  let current: BackendStatus = { state: 'starting', since: Date.now() }

  function change (state: BackendStatus['state'], reason?: string): void {
    if (state === current.state && reason === current.reason) return
    const since = state === current.state ? current.since : Date.now()
    current = reason === undefined ? { state, since } : { state, since, reason }
    for (const context of contexts) context.onState(current)
  }

  return {
    set (state, reason) {
      // An answer may still come after the close.
      if (current.state !== 'closed') change(state, reason)
    },
    get log () {
      return contexts[0]?.log
    },
    start (context) {
      users++
      contexts.push(context)
      if (current.state === 'closed') change('starting')
      else context.onState(current)
      if (users === 1) hooks.open?.()
    },
    status () {
      const viewAgeMs = hooks.viewAgeMs?.()
      return viewAgeMs === undefined ? { ...current } : { ...current, viewAgeMs }
    },
    async close () {
      if (current.state === 'closed' || --users > 0) return
      users = 0
      change('closed')
      contexts = []
      await hooks.end?.()
    }
  }
}
