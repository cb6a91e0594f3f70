import { createAllowance } from './allowance.js'
import type { WebSocket } from 'ws'
import type { Rates } from './allowance.js'

/** Close code of RFC 6455 section 7.4. */
const TOO_LARGE = 1009

export interface IntakeOptions {
  rates: Rates
  /** Largest message, in bytes. */
  maxBytes: number
  onMessage (data: Buffer): void
  /** The client answered a ping. */
  onPong (): void
  /** The client sent too much, and is not read for a while. */
  onThrottled (): void
}

/** Reads what a client sends, no faster than it may send. */
export function readFrom (socket: WebSocket, options: IntakeOptions): void {
  const { rates, maxBytes, onMessage, onPong, onThrottled } = options
  const allowance = createAllowance(rates, () => performance.now())

  function charge (bytes: number): void {
    const wait = allowance.spend(1, bytes)
    if (wait > 0 && !socket.isPaused) throttle(wait)
  }

  /** The flood waits at the client's side: nothing is lost, and nothing is kept here. */
  function throttle (ms: number): void {
    onThrottled()
    socket.pause()
    setTimeout(() => socket.resume(), ms).unref()
  }

  socket.on('message', (data: Buffer) => {
    charge(data.length)
    if (data.length > maxBytes) socket.close(TOO_LARGE, 'the message is too large')
    else onMessage(data)
  })
  socket.on('ping', ({ length }: Buffer) => charge(length))
  socket.on('pong', ({ length }: Buffer) => {
    onPong()
    charge(length)
  })
}
