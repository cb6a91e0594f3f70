import { toMessages } from './parts.js'
import type { RecorderConnection } from '../../types/recorder.js'

/** Above this amount the network is slower than the page: messages wait here, where they can still be dropped. */
const MAX_BUFFERED_BYTES = 1024 * 1024
/** Above this amount of waiting changes, a new snapshot costs less than all of them. */
const MAX_WAITING_CHARACTERS = 1024 * 1024
/** A WebSocket does not tell when its buffer is empty. */
const LOOK_MS = 50

/** Sends events in their order, as fast as the network takes them. */
export interface Outbox {
  /** Some event is not sent yet. */
  readonly isBusy: boolean
  /** Sends an event that later ones depend on, however large it is. */
  putWhole (event: string): void
  /** @returns whether it will be sent: `false` if the network is too slow for all changes of the page */
  putChange (event: string): boolean
  /** Drops all events that are not sent yet. */
  clear (): void
}

export function createOutbox (connection: RecorderConnection): Outbox {
  let waiting: string[] = []
  /** Characters of the changes that wait. */
  let changes = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function clear (): void {
    clearTimeout(timer)
    timer = undefined
    waiting = []
    changes = 0
  }

  function send (): void {
    timer = undefined
    let sent = 0
    while (sent < waiting.length && connection.bufferedAmount <= MAX_BUFFERED_BYTES) {
      // A new connection begins with a new snapshot.
      if (!connection.send(waiting[sent++] ?? '')) return clear()
    }
    waiting.splice(0, sent)
    if (waiting.length === 0) changes = 0
    else timer = setTimeout(send, LOOK_MS)
  }

  function put (event: string): void {
    waiting.push(...toMessages(event))
    if (timer === undefined) send()
  }

  return {
    get isBusy () {
      return waiting.length > 0
    },
    putWhole: put,
    putChange (event) {
      if (waiting.length > 0) {
        changes += event.length
        if (changes > MAX_WAITING_CHARACTERS) return false
      }
      put(event)
      return true
    },
    clear
  }
}
