import { MAX_EVENT_CHARACTERS } from '../parts.js'
import { isObject, Refusal } from './values.js'
import type { Fields } from './values.js'

export const MAX_DEPTH = 250

/** Counted in the event's JSON, in which an element is an object and a list. */
const MAX_BRACKETS = 2 * MAX_DEPTH + 10

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] =
  [...'"\\[]{}'].map((character) => character.charCodeAt(0))

/** @throws Refusal */
export function parseEvent (text: string): Fields {
  if (text.length > MAX_EVENT_CHARACTERS) throw new Refusal('it is too large')
  if (isDeep(text)) throw new Refusal(`it is more than ${MAX_DEPTH} levels deep`)
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    throw new Refusal('it is not JSON')
  }
}

/** A million brackets would keep the parser busy for seconds. */
function isDeep (text: string): boolean {
  let depth = 0
  for (let place = 0; place < text.length && depth <= MAX_BRACKETS; place++) {
    const character = text.charCodeAt(place)
    if (character === QUOTE) place = endOfString(text, place)
    else if (character === OPEN_LIST || character === OPEN_OBJECT) depth++
    else if (character === CLOSE_LIST || character === CLOSE_OBJECT) depth--
  }
  return depth > MAX_BRACKETS
}

function endOfString (text: string, start: number): number {
  let place = start + 1
  while (place < text.length && text.charCodeAt(place) !== QUOTE) place += text.charCodeAt(place) === BACKSLASH ? 2 : 1
  return place
}
