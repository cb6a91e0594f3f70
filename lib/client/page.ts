// Typed by structure: Node.js has no such events.
const page = globalThis as {
  addEventListener? (type: string, listener: (event: { persisted?: boolean }) => void): void
  removeEventListener? (type: string, listener: (event: { persisted?: boolean }) => void): void
}

/** Calls `listener` if the browser is online again, or shows a page that it kept. @returns unsubscribes */
export function onWake (listener: () => void): () => void {
  page.addEventListener?.('online', listener)
  page.addEventListener?.('pageshow', listener)
  return () => {
    page.removeEventListener?.('online', listener)
    page.removeEventListener?.('pageshow', listener)
  }
}

export interface PageWatch {
  /** Resolves at once, or, if the browser keeps the page for later, as soon as it shows the page again. */
  shown (): Promise<void>
  end (): void
}

/**
 * Watches the back/forward cache: a page in it stands still, possibly for minutes, with its connections open.
 *
 * @param onKept called when the browser is about to keep the page; no code of the page runs afterwards
 */
export function watchPage (onKept: () => void): PageWatch {
  let shown = Promise.resolve()
  let show = () => {}

  function hide ({ persisted }: { persisted?: boolean }): void {
    if (persisted !== true) return
    shown = new Promise((resolve) => { show = resolve })
    onKept()
  }

  const onShow = () => show()
  page.addEventListener?.('pagehide', hide)
  page.addEventListener?.('pageshow', onShow)
  return {
    shown: async () => await shown,
    end () {
      page.removeEventListener?.('pagehide', hide)
      page.removeEventListener?.('pageshow', onShow)
      show()
    }
  }
}
