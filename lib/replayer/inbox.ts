import { createGuard } from './guard/guard.js'
import { Refusal } from './guard/values.js'
import { readNote } from './messages.js'
import { createParts } from './parts.js'
import type { SafeEvent } from './guard/guard.js'
import type { LeftOut } from './guard/nodes.js'
import type { ReplayerNote } from '../../types/replayer.js'

const LEFT_OUT: Record<LeftOut, string> = {
  frames: 'Pages that are embedded in this page are not shown.',
  canvas: 'Drawings of this page are not shown.',
  media: 'Videos and sounds of this page are not played.',
  images: 'Images that this page loads from a server are not shown.',
  styles: 'Styles that this page loads from another server are not shown.',
  files: 'Fonts and background images that this page loads from a server are not shown.'
}

export interface InboxOptions {
  /** @param characters size of the event */
  onEvent (event: SafeEvent, characters: number): void
  onNote (note: ReplayerNote): void
  onRefused (reason: string): void
}

/** Reads the messages of a recorder, of which nothing is trusted. */
export interface Inbox {
  take (message: string): void
  /** The next message is that of another recorder. */
  reset (): void
}

export function createInbox ({ onEvent, onNote, onRefused }: InboxOptions): Inbox {
  const parts = createParts()
  const told = new Set<LeftOut>()
  let guard = createGuard()

  function takeNote (message: string): void {
    const note = readNote(message)
    if (note !== undefined) onNote(note)
  }

  function takePart (message: string): void {
    const whole = parts.add(message)
    if (whole !== undefined) takeEvent(whole)
  }

  function takeEvent (text: string): void {
    const { event, leftOut = [] } = guard.read(text)
    if (event !== undefined) onEvent(event, text.length)
    for (const kind of leftOut) tell(kind)
  }

  function tell (kind: LeftOut): void {
    if (told.has(kind)) return
    told.add(kind)
    onNote({ code: 'left-out', text: LEFT_OUT[kind] })
  }

  function read (message: string): void {
    switch (message[0]) {
      case '!': return takeNote(message.slice(1))
      case '<':
      case '+':
      case '>': return takePart(message)
      default:
        parts.drop()
        takeEvent(message)
    }
  }

  return {
    take (message) {
      try {
        read(message)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        onRefused(error.message)
      }
    },
    reset () {
      parts.drop()
      guard = createGuard()
    }
  }
}
