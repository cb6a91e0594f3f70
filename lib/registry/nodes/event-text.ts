import type { RoomChoice, RoomEvent } from '../../../types/operations.js'
import { parseChoice } from './room-history.js'
import type { StoredEvent } from './room-history.js'

/** The event as `explain` tells it, with a sentence that says what happened. */
export function toEvent (stored: StoredEvent): RoomEvent {
  const { choice: text, dead, ...event } = stored
  const choice = parseChoice(text, dead)
  return Object.assign(event, choice && { choice }, { text: toText(event, choice) })
}

function toText (
  { event, node = 'its node', instead, why }: Omit<StoredEvent, 'choice'>, choice: RoomChoice | undefined
): string {
  switch (event) {
    case 'chosen': return `${choice?.gateway ?? 'a gateway'} chose ${node}${insteadOf(instead)}${choice === undefined ? '' : from(choice)}`
    case 'claimed': return `${node} opened the room`
    case 'released': return `the last client left ${node}`
    case 'ended': return `the call ended on ${node}`
    case 'moved': return `${why?.author ?? 'an operator'} moved the room away from ${node}${to(why?.to)}: ${why?.reason ?? ''}`
    case 'epoch': return 'the store began anew, and knows nothing of earlier events'
  }
}

function insteadOf (instead: StoredEvent['instead']): string {
  if (instead === undefined) return ''
  return instead.why === 'died' ? `, since ${instead.node} was gone` : `, since the room was moved away from ${instead.node}`
}

function from ({ candidates, proposed, leftOut }: RoomChoice): string {
  const loads = proposed.map(({ id, load }) => `${id}: ${Math.round(load * 100) / 100}`).join(', ')
  const reasons = Object.entries(leftOut).flatMap(([reason, nodes]) => nodes > 0 ? `${nodes} ${reason}` : [])
  const others = reasons.length === 0 ? '' : `; left out: ${reasons.join(', ')}`
  return `, from ${candidates} with the loads ${loads}${others}`
}

const to = (id: string | undefined) => id === undefined ? '' : ` to ${id}`
