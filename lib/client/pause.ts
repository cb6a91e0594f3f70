// By structure: Node has no such events.
const page = globalThis as {
  addEventListener? (type: string, listener: () => void): void
  removeEventListener? (type: string, listener: () => void): void
}

/** Waits; ends early when the signal aborts, or when the browser is online again. */
export async function pause (ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake)
    page.addEventListener?.('online', wake)

    function wake (): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      page.removeEventListener?.('online', wake)
      resolve()
    }
  })
}
