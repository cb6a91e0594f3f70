import type { RedisTimes } from './store.js'

/** The memory in the store's latest answer, sent with the next calls: it shows the store whether it has lost writes. */
export interface StoreMemory {
  readonly text: string
  /** Takes the memory of an answer. An older one, or none, changes nothing. */
  take (text: unknown): void
}

/** @param onTimes called with the times in force whenever they change */
export function createStoreMemory (onTimes: (times: RedisTimes) => void): StoreMemory {
  let text = ''
  let mark = 0
  let times = ''

  return {
    get text () {
      return text
    },
    take (given) {
      const [, said, inForce] = /^(\d+) (\d+ \d+ \d+)$/.exec(String(given)) ?? []
      if (said === undefined || inForce === undefined || Number(said) < mark) return
      text = String(given)
      mark = Number(said)
      if (inForce === times) return
      times = inForce
      const [lease = 0, heartbeat = 0, linger = 0] = inForce.split(' ').map(Number)
      onTimes({ lease, heartbeat, linger })
    }
  }
}
