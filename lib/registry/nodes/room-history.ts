import { hostname } from 'node:os'
import type { RoomChoice, RoomEvent } from '../../../types/operations.js'

/** Most events of one room that `explain` tells. */
export const MAX_EVENTS = 32

/** An event as a store keeps it. */
export interface StoredEvent extends Omit<RoomEvent, 'text' | 'choice'> {
  /** See `toChoiceText`. */
  choice?: string
  /** Number of better candidates that the store did not take. */
  dead?: number
}

/** This process, as the history names a gateway. */
export const GATEWAY = `${hostname()} ${process.pid}`

/**
 * A choice as a store keeps it: `gateway|candidates|draining|full|refused|id load|id load…`. Each new room writes one:
 * as JSON it would take twice the time and five times the bytes.
 *
 * @param head the part before the proposed nodes
 */
export const toChoiceText = (head: string, proposed: readonly string[]) => `${head}|${proposed.join('|')}`

/** @returns undefined for a text that is no choice */
export function parseChoice (text = '', dead = 0): RoomChoice | undefined {
  const [gateway = '', ...rest] = text.split('|')
  const [candidates = NaN, draining = NaN, full = NaN, refused = NaN] = rest.slice(0, 4).map(Number)
  if (!Number.isFinite(candidates + draining + full + refused)) return undefined
  const proposed = rest.slice(4).filter((entry) => entry !== '').map((entry) => {
    const [id = '', load] = entry.split(' ')
    return { id, load: Number(load) }
  })
  return { gateway, candidates, proposed, leftOut: { draining, full, refused, dead } }
}

const EVENTS: readonly string[] =
  ['chosen', 'claimed', 'released', 'ended', 'moved', 'epoch'] satisfies Array<RoomEvent['event']>

export const isEvent = (text: unknown): text is RoomEvent['event'] => typeof text === 'string' && EVENTS.includes(text)

/** Reads a value that a process of the project wrote as JSON; `undefined` for any other text. */
export function readJson<T> (text: string | undefined): T | undefined {
  try {
    // Such a process wrote the documented type.
    return text === undefined ? undefined : JSON.parse(text) as T
  } catch {
    return undefined
  }
}
