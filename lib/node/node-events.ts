import { EventEmitter } from 'node:events'
import type { NodeEvents } from '../../types/node.js'

export interface NodeEmitter {
  on<E extends keyof NodeEvents> (event: E, listener: NodeEvents[E]): void
  /** What a listener throws is the host's fault and must not stop the node: it becomes an uncaught exception. */
  emit<E extends keyof NodeEvents> (event: E, ...details: Parameters<NodeEvents[E]>): void
}

export function createNodeEmitter (): NodeEmitter {
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
