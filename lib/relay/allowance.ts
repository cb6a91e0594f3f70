/** What a client may send: its average is limited, a burst of some seconds is not. */
export interface Allowance {
  /** @returns milliseconds until the client may send again; 0 if it may now */
  spend (messages: number, bytes: number): number
}

/** A page that opens, or a snapshot of it, sends more than the average at once. */
const BURST_SECONDS = 4

export interface Rates {
  messagesPerSecond: number
  bytesPerSecond: number
}

/** @param now a monotonic clock, in milliseconds */
export function createAllowance ({ messagesPerSecond, bytesPerSecond }: Rates, now: () => number): Allowance {
  let messagesLeft = messagesPerSecond * BURST_SECONDS
  let bytesLeft = bytesPerSecond * BURST_SECONDS
  let at = now()

  return {
    spend (messages, bytes) {
      const time = now()
      const seconds = (time - at) / 1000
      at = time
      messagesLeft = Math.min(messagesPerSecond * BURST_SECONDS, messagesLeft + seconds * messagesPerSecond) - messages
      bytesLeft = Math.min(bytesPerSecond * BURST_SECONDS, bytesLeft + seconds * bytesPerSecond) - bytes
      if (messagesLeft >= 0 && bytesLeft >= 0) return 0
      return Math.ceil(1000 * Math.max(-messagesLeft / messagesPerSecond, -bytesLeft / bytesPerSecond))
    }
  }
}
