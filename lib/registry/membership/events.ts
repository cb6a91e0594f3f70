import { EventEmitter } from 'node:events'
import type { MembershipEvents } from '../../../types/registry.js'

type MembershipEvent = keyof MembershipEvents

export interface MembershipEmitter {
  on<E extends MembershipEvent> (event: E, listener: MembershipEvents[E]): void
  /** What a listener throws is the host's fault and must not end the heartbeat: it becomes an uncaught exception. */
  emit<E extends MembershipEvent> (event: E, ...details: Parameters<MembershipEvents[E]>): void
}

export function createMembershipEmitter (): MembershipEmitter {
  const emitter = new EventEmitter()
  return {
    on (event, listener) {
      emitter.on(event, listener)
    },
    emit (event, ...details) {
      for (const listener of emitter.listeners(event)) {
        try {
          listener(...details)
        } catch (error) {
          queueMicrotask(() => { throw error })
        }
      }
    }
  }
}
