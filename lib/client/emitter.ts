type Listeners = Record<string, (...details: never[]) => void>

export interface Emitter<T extends { [E in keyof T]: (...details: never[]) => void }> {
  emit<E extends keyof T> (event: E, ...details: Parameters<T[E]>): void
  on<E extends keyof T> (event: E, listener: T[E]): () => void
}

/**
 * What a listener throws is reported as an uncaught error, as of an EventTarget. The emitter of the server's parts
 * stands on node:events, which a page does not have.
 */
export function createEmitter<T extends { [E in keyof T]: Listeners[string] }> (): Emitter<T> {
  const listeners = new Map<keyof T, Set<(...details: never[]) => void>>()
  return {
    emit (event, ...details) {
      for (const listener of [...listeners.get(event) ?? []]) {
        try {
          // Only `on` adds listeners, each to the event of its type.
          listener(...details as never[])
        } catch (error) {
          queueMicrotask(() => { throw error })
        }
      }
    },
    on (event, listener) {
      // Twice the same function is twice a listener.
      const added = (...details: never[]) => listener(...details)
      listeners.set(event, (listeners.get(event) ?? new Set()).add(added))
      return () => { listeners.get(event)?.delete(added) }
    }
  }
}
