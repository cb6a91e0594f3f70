import { callGuarded } from '../common/emitter.js'

/** Who waits for a change, on one connection. */
export interface ZooKeeperWatches {
  /**
   * For the package: the same function until something changes, since it keeps each new one beside those before.
   */
  watcher (key: string): () => void
  /** The server watches now: `watch` is called once. */
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
