import { onWake } from './page.js'

/** Waits; ends early if the signal aborts, the browser is online again, or it shows a page that it kept. */
export async function pause (ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(wake, ms)
    const unsubscribe = onWake(wake)
    signal.addEventListener('abort', wake)

    function wake (): void {
      clearTimeout(timer)
      unsubscribe()
      signal.removeEventListener('abort', wake)
      resolve()
    }
  })
}
