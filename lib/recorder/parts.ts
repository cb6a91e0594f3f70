/** Nodes limit the size of a message: 256 Ki characters are at most 768 KiB of UTF-8. */
export const PART_CHARACTERS = 256 * 1024

const FIRST = '<'
const FURTHER = '+'
const LAST = '>'

/** Splits an event into the messages that carry it: `<` begins the first part, `+` a further one, `>` the last one. */
export function toMessages (event: string): string[] {
  if (event.length <= PART_CHARACTERS) return [event]
  const messages = [FIRST + event.slice(0, endOfPart(event, 0))]
  for (let from = endOfPart(event, 0); from < event.length;) {
    const to = endOfPart(event, from)
    messages.push((to === event.length ? LAST : FURTHER) + event.slice(from, to))
    from = to
  }
  return messages
}

function endOfPart (event: string, from: number): number {
  const to = from + PART_CHARACTERS - 1
  if (to >= event.length) return event.length
  // Half of a surrogate pair cannot be sent.
  const last = event.charCodeAt(to - 1)
  return last >= 0xd800 && last <= 0xdbff ? to - 1 : to
}
