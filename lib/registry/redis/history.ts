import { splitMember } from '../nodes/member.js'
import { isEvent, MAX_EVENTS, readJson } from '../nodes/room-history.js'
import { READ_HISTORY } from './scripts/operator.js'
import type { RedisStore } from './store.js'
import type { StoredEvent } from '../nodes/room-history.js'

const CALL_MS = 2000
/** Most entries that Redis looks at in one step. */
const PAGE_SIZE = 500

/** The latest events of a room, newest first. The stream holds the events of all rooms. */
export async function readHistory (store: RedisStore, room: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  let from = '+'
  do {
    const answer = await store.run(READ_HISTORY, { args: [from, PAGE_SIZE], rooms: [room], ms: CALL_MS })
    // READ_HISTORY documents this type.
    const [last, ...entries] = answer as [string, ...Array<string | string[]>]
    for (let at = 0; at < entries.length; at += 2) {
      events.push(...toEvent(String(entries[at]), entries[at + 1] as string[]))
    }
    from = last === '' ? '' : before(last)
  } while (from !== '' && events.length < MAX_EVENTS)
  return events.slice(0, MAX_EVENTS)
}

/** The id that precedes `<ms>-<count>`. Older servers know no exclusive range. */
function before (id: string): string {
  const [ms = '0', count = '0'] = id.split('-')
  return BigInt(count) > 0n ? `${ms}-${BigInt(count) - 1n}` : `${BigInt(ms) - 1n}-18446744073709551615`
}

/** @returns no event for an entry that no script has written */
function toEvent (id: string, flat: string[]): StoredEvent[] {
  const fields = new Map(flat.flatMap((name, at) => at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []))
  const event = fields.get('event')
  if (!isEvent(event)) return []
  const told: StoredEvent = { at: Number.parseInt(id), event, node: splitMember(fields.get('node') ?? '').id }
  const choice = fields.get('choice') ?? ''
  const why = readJson<StoredEvent['why']>(fields.get('why'))
  if (choice !== '') Object.assign(told, { choice, dead: Number(fields.get('dead')) })
  if (why !== undefined) told.why = why
  const [reason, node] = (fields.get('instead') ?? '').split(' ')
  if (node !== undefined) told.instead = { node, why: reason === 'moved' ? 'moved' : 'died' }
  return [told]
}

/** Adds the begin of the epoch: what happened before is not known. */
export function withEpoch (events: StoredEvent[], beganAt: number): StoredEvent[] {
  if (!(beganAt > 0)) return events
  const later = events.filter(({ at }) => at >= beganAt)
  return [...later, { at: beganAt, event: 'epoch' }, ...events.slice(later.length)]
}
