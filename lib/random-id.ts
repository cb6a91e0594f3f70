import { randomFillSync } from 'node:crypto'

const BYTES = 16
/** A draw of random bytes costs nearly the same for one id as for many. */
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
