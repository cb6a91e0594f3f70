import { callGuarded } from '../common/emitter.js'

/** Listeners for changes, on one connection. */
export interface ZooKeeperWatches {
  /**
   * The function to pass to the package: the same one until a change, since the package keeps each new one as well.
   */
  watcher (key: string): () => void
  /** Adds a listener, called once, after the server has set the watch. */
  arm (key: string, watcher: () => void, watch: () => void): void
}

export function createWatches (): ZooKeeperWatches {
  const armed = new Map<string, { watcher: () => void, watches: Set<() => void> }>()

  function fire (key: string): void {
    const watches = armed.get(key)?.watches ?? []
    armed.delete(key)
    for (const watch of watches) callGuarded(watch)
  }

  return {
    watcher: (key) => armed.get(key)?.watcher ?? (() => fire(key)),
    arm (key, watcher, watch) {
      const entry = armed.get(key) ?? { watcher, watches: new Set() }
      entry.watches.add(watch)
      armed.set(key, entry)
    }
  }
}
