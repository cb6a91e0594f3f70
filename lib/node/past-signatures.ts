import { createHash } from 'node:crypto'

/** Takes 4 MiB, allocated once and touched only as it fills. */
const CAPACITY = 262_144

/** Signatures that admitted a client and have ended since: the latest ones, in memory that never grows. */
export interface PastSignatures {
  /** @param end in seconds */
  add (id: string, end: number): void
  /** Whether the signature is one of them, or may be one of those that the latest ones pushed out. */
  has (id: string, end: number): boolean
}

export function createPastSignatures (capacity = CAPACITY): PastSignatures {
  const prints = new Float64Array(capacity)
  const ends = new Float64Array(capacity)
  let added = 0
  let latestEnd = -Infinity
  let pushedOutUntil = -Infinity

  return {
    add (id, end) {
      const at = added++ % capacity
      if (added > capacity) pushedOutUntil = Math.max(pushedOutUntil, Number(ends[at]))
      prints[at] = printOf(id)
      ends[at] = end
      latestEnd = Math.max(latestEnd, end)
    },
    // Unless the clock was set back, `end` alone decides; the search takes a fraction of a millisecond.
    has: (id, end) => end <= latestEnd && (end <= pushedOutUntil || prints.includes(printOf(id)))
  }
}

/** 48 bits, and never the 0 of an empty place: two ids that share them cost one client a second signature. */
const printOf = (id: string) => createHash('sha256').update(id).digest().readUIntBE(0, 6) + 1
