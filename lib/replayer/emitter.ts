type Listeners = Record<string, (...details: never[]) => void>

export interface Emitter<T extends { [E in keyof T]: (...details: never[]) => void }> {
  emit<E extends keyof T> (event: E, ...details: Parameters<T[E]>): void
  on<E extends keyof T> (event: E, listener: T[E]): () => void
}

/**
 * An error thrown by a listener is reported as uncaught, as with an EventTarget. The emitter of the server's parts uses
 * node:events, which a page does not have.
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
      // The same function added twice counts as two listeners.
      const added = (...details: never[]) => listener(...details)
      listeners.set(event, (listeners.get(event) ?? new Set()).add(added))
      return () => { listeners.get(event)?.delete(added) }
    }
  }
}
