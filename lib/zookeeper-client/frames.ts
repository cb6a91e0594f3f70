const LENGTH_BYTES = 4

/** Longest frame of a server: its own limit is 1 MiB for a znode, and lists of children stay below this. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024

/**
 * Splits the bytes of a socket into frames, each with its length in front. An impossible length is rejected before any
 * memory is allocated for it.
 *
 * @throws RangeError, after which the reader is unusable
 */
export function createFrameReader (): (bytes: Buffer) => Buffer[] {
  let chunks: Buffer[] = []
  let kept = 0

  function take (bytes: number): Buffer {
    const all = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, kept)
    const rest = all.subarray(bytes)
    chunks = rest.length === 0 ? [] : [rest]
    kept = rest.length
    return all.subarray(0, bytes)
  }

  function nextLength (): number | undefined {
    if (kept < LENGTH_BYTES) return undefined
    if (chunks.length > 1 && (chunks[0]?.length ?? 0) < LENGTH_BYTES) chunks = [Buffer.concat(chunks, kept)]
    const length = chunks[0]?.readInt32BE(0) ?? 0
    if (length < 0 || length > MAX_FRAME_BYTES) throw new RangeError('a frame of an invalid length')
    return LENGTH_BYTES + length
  }

  return (bytes) => {
    chunks.push(bytes)
    kept += bytes.length
    const frames: Buffer[] = []
    for (let length = nextLength(); length !== undefined && kept >= length; length = nextLength()) {
      frames.push(take(length))
    }
    return frames
  }
}
