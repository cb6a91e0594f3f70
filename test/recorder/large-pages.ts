import { snapshotsIn } from './lab.js'
import type { LabPage, Shared } from './lab.js'

/** A table that a script of the page fills, so that the page itself is small. */
export const tableOf = (rows: number, cell: string): LabPage => ({
  body: '<table id="table"></table>',
  script: `document.querySelector('#table').innerHTML = Array.from({ length: ${rows} },
    (_, row) => '<tr><td>' + row + '</td><td>${cell}</td></tr>').join('')`
})

/** Puts the parts of large events together, as a replayer does. */
export function eventsOf ({ viewer }: Shared): string[] {
  const events: string[] = []
  let parts: string[] | undefined
  for (const text of viewer.messages) {
    if (text.startsWith('<')) parts = [text.slice(1)]
    else if (/^[+>]/.test(text)) parts?.push(text.slice(1))
    else parts = undefined
    if (text.startsWith('>') && parts !== undefined) events.push(parts.join(''))
    if (/^\{"type":\d/.test(text)) events.push(text)
  }
  return events
}

/** Number of elements in the events that the viewer has. */
export const countElements = (shared: Shared): number =>
  eventsOf(shared).join('').match(/"tagName":/g)?.length ?? 0

/** Snapshots whose first part has arrived. */
export const snapshotsAt = ({ viewer }: Shared): number => snapshotsIn(viewer.messages)
