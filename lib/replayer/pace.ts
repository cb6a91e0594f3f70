import { FULL_SNAPSHOT, META } from './guard/guard.js'
import type { SafeEvent } from './guard/guard.js'

/** Time between two whole pages: to build one takes longer than to send one. */
const PAGE_MS = 1000
/** Above this size, the changes of a page that waits are dropped. */
const MAX_CHARACTERS = 64 * 1024 * 1024
/** Cost of an event in addition to its text. */
export const EVENT_CHARACTERS = 1024

export type Draw = (event: SafeEvent, characters: number) => void

export interface Pace {
  take: Draw
  /** Forgets the page that waits, and lets nothing through before the next page. */
  drop (): void
}

interface Waiting {
  readonly events: Array<Parameters<Draw>>
  characters: number
}

/**
 * Lets one whole page a second through, the last one, with the changes since. The events before the first page mean
 * nothing.
 */
export function createPace (draw: Draw): Pace {
  let size: SafeEvent | undefined
  let waiting: Waiting | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOpen = false
  let lastAt = -Infinity

  function letThrough (): void {
    const events = waiting?.events ?? []
    waiting = undefined
    timer = undefined
    isOpen = true
    lastAt = performance.now()
    for (const event of events) draw(...event)
  }

  function hold (page: SafeEvent, characters: number): void {
    if (size === undefined) return
    waiting = { events: [[size, 0], [page, characters]], characters }
    timer ??= setTimeout(letThrough, Math.max(0, lastAt + PAGE_MS - performance.now()))
  }

  function holdChange (change: SafeEvent, characters: number, page: Waiting): void {
    page.characters += characters + EVENT_CHARACTERS
    if (page.characters <= MAX_CHARACTERS) page.events.push([change, characters])
  }

  return {
    take (event, characters) {
      if (event.type === META) size = event
      else if (event.type === FULL_SNAPSHOT) hold(event, characters)
      else if (waiting !== undefined) holdChange(event, characters, waiting)
      else if (isOpen) draw(event, characters)
    },
    drop () {
      clearTimeout(timer)
      timer = waiting = size = undefined
      isOpen = false
    }
  }
}
