import { EventEmitter } from 'node:events'

/** A listener with any parameters: those of a method may be narrower than `unknown`. */
type Listener = { call (...details: unknown[]): void }['call']
type Listeners<E> = Record<keyof E, Listener>

/** @typeParam E the listeners, by event */
export interface Emitter<E extends Listeners<E>> {
  /** @returns unsubscribes */
  on<K extends keyof E & string> (event: K, listener: E[K]): () => void
  emit<K extends keyof E & string> (event: K, ...details: Parameters<E[K]>): void
}

export function createEmitter<E extends Listeners<E>> (): Emitter<E> {
  const emitter = new EventEmitter()
  return {
    on (event, listener) {
      emitter.on(event, listener)
      return () => { emitter.off(event, listener) }
    },
    emit (event, ...details) {
      for (const listener of emitter.listeners(event)) callGuarded(() => listener(...details))
    }
  }
}

/**
 * An error thrown by a listener is the host's fault and must not stop the emitter: it becomes an uncaught exception.
 */
export function callGuarded (call: () => void): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}
