import { hostname } from 'node:os'
import type { RoomChoice, RoomEvent } from '../../../types/operations.js'

/** Most events of one room that `explain` tells. */
export const MAX_EVENTS = 32

/** An event as a store keeps it. */
export type StoredEvent = Omit<RoomEvent, 'text'>

/** The part of a choice that the chooser knows. */
export type Choice = Omit<RoomChoice, 'gateway'>

/** This process, as the history names a gateway. */
export const GATEWAY = `${hostname()} ${process.pid}`

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
