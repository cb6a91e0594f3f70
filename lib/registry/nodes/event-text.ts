import type { RoomChoice, RoomEvent } from '../../../types/operations.js'
import type { StoredEvent } from './room-history.js'

/** Says in one sentence what happened to a room. */
export function withText (event: StoredEvent): RoomEvent {
  return Object.assign({}, event, { text: toText(event) })
}

function toText ({ event, node = 'its node', choice, instead, why }: StoredEvent): string {
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
