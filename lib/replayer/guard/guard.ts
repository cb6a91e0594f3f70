// Decides which events may be replayed. The replayed page is another person's, and an attacker may have replaced its
// script: an event is copied field by field, elements and attributes by lists of harmless ones. Two more defences stand
// behind this one: the sandbox of the frame, which runs no script, and the policy of the page, by which no style
// fetches anything.
import { CHANGES, isSize } from './changes.js'
import { readDocument } from './nodes.js'
import { parseEvent } from './parse.js'
import { isObject, numberOf, Refusal } from './values.js'
import type { Known, LeftOut } from './nodes.js'
import type { Fields } from './values.js'

export const FULL_SNAPSHOT = 2
const INCREMENTAL = 3
export const META = 4

/** An event of rrweb that may be replayed. The replayer sets the time. */
export interface SafeEvent {
  type: number
  data: Fields
  timestamp: number
}

export interface Reading {
  /** Missing if the event is of a kind that is never shown. */
  event?: SafeEvent
  /** Kinds of content that the page has had so far and that are not shown. */
  leftOut?: LeftOut[]
}

export interface Guard {
  /** @throws Refusal with the reason why the event cannot be shown */
  read (text: string): Reading
}

export function createGuard (): Guard {
  let known: Known = { names: new Map(), leftOut: new Set() }
  /** A page without its size is not drawn, so the elements before it stay known. */
  let hasSize = false

  function readSnapshot ({ node, initialOffset }: Fields): Fields | undefined {
    if (!hasSize) return undefined
    const next: Known = { names: new Map(), leftOut: new Set() }
    const { left, top } = isObject(initialOffset) ? initialOffset : {}
    const document = readDocument(node, next)
    known = next
    hasSize = false
    return { node: document, initialOffset: { left: numberOf(left), top: numberOf(top) } }
  }

  function readMeta ({ width, height }: Fields): Fields {
    if (!isSize(width) || !isSize(height)) throw new Refusal('it has no size')
    hasSize = true
    return { href: 'about:blank', width, height }
  }

  function readChange (data: Fields): Fields | undefined {
    const change = CHANGES.get(data.source)?.(data, known)
    return change && { ...change, source: data.source }
  }

  const READERS = new Map<unknown, (data: Fields) => Fields | undefined>([
    [META, readMeta], [FULL_SNAPSHOT, readSnapshot], [INCREMENTAL, readChange]
  ])

  return {
    read (text) {
      const { type, data } = parseEvent(text)
      const safe = isObject(data) ? READERS.get(type)?.(data) : undefined
      const leftOut = [...known.leftOut]
      return safe === undefined ? {} : { event: { type: Number(type), data: safe, timestamp: 0 }, leftOut }
    }
  }
}
