import { Refusal } from './guard/values.js'

/** The longest event, in characters. */
export const MAX_EVENT_CHARACTERS = 32 * 1024 * 1024
/** A recorder sends the longest event in 128 parts; small parts would take more memory than their text. */
const MAX_PARTS = 1024

export interface Parts {
  /**
   * @param message `<text` the first part, `+text` a further one, `>text` the last one
   * @returns the whole text if this was the last part
   * @throws Refusal if the event is too large; its further parts are ignored
   */
  add (message: string): string | undefined
  /** Forgets an unfinished event. */
  drop (): void
}

/** Joins the parts of large events. */
export function createParts (): Parts {
  let parts: string[] | undefined
  let characters = 0

  function drop (): void {
    parts = undefined
    characters = 0
  }

  return {
    drop,
    add (message) {
      if (message.startsWith('<')) {
        drop()
        parts = []
      }
      if (parts === undefined) return undefined
      characters += message.length - 1
      parts.push(message.slice(1))
      if (characters > MAX_EVENT_CHARACTERS || parts.length > MAX_PARTS) {
        drop()
        throw new Refusal('it is too large')
      }
      if (!message.startsWith('>')) return undefined
      const whole = parts.join('')
      drop()
      return whole
    }
  }
}
