import { isEvent, readJson } from '../nodes/room-history.js'
import type { Clock } from '../../common/clock.js'
import type { StoredEvent } from '../nodes/room-history.js'

/** Most events that a room keeps. The room is read and written as a whole, so its text must stay short. */
const MAX_KEPT = 16
const MAX_LENGTH = 4000

export type NewRoomEvent = Omit<StoredEvent, 'at'>

/** Adds an event to the history of a room, which is a part of the room's text. Returns the new history as JSON. */
export type AddEvent = (before: string | undefined, event: NewRoomEvent) => string | undefined

export const keepNoHistory: AddEvent = () => undefined

export function createHistory (clock: Pick<Clock, 'wall'>): AddEvent {
  return (before, event) => {
    const events = [Object.assign({ at: Math.floor(clock.wall()) }, event), ...parseHistory(before)].slice(0, MAX_KEPT)
    while (events.length > 1 && JSON.stringify(events).length > MAX_LENGTH) events.pop()
    return JSON.stringify(events)
  }
}

/** The events, newest first. */
export function parseHistory (text: string | undefined): StoredEvent[] {
  const events = readJson<StoredEvent[]>(text) ?? []
  return Array.isArray(events) ? events.filter((event) => isEvent(event?.event)) : []
}
