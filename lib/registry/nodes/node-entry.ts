import { refusePromise } from '../../common/refuse-promise.js'
import { splitMember } from './member.js'
import { checkNodeRecord, MAX_RECORD_BYTES, toNodeView } from './node-record.js'
import type { NodeRecord, NodeView } from '../../../types/registry.js'

/** Most nodes that are read. */
export const MAX_NODES = 10_000

export type ParseRecord = (text: string, id: string) => Omit<NodeRecord, 'id'>

/** A record as read from a store: its length if it is too long, `null` if there is none. */
export type RecordText = string | number | null

export interface NodeEntry {
  text: RecordText
  /** The parsed text; left out if the text is garbage. */
  view?: NodeView
  /** The latest valid record of the same registration. */
  lastGood?: NodeView | undefined
}

export const parseRecord: ParseRecord = (text) => JSON.parse(text)

/** Reads a record; a bad one is reported once per text, and affects only its node. */
export function readEntry (
  member: string, text: RecordText, known: NodeEntry | undefined, parse: ParseRecord,
  onRejected: (node: string, reason: string) => void
): NodeEntry {
  if (known !== undefined && known.text === text) return known
  try {
    const view = toView(member, text, parse)
    return { text, view, lastGood: view }
  } catch (error) {
    // toView throws nothing but a TypeError.
    const { message } = error as TypeError
    onRejected(splitMember(member).id.slice(0, 64), message)
    return { text, lastGood: known?.lastGood }
  }
}

function toView (member: string, text: RecordText, parse: ParseRecord): NodeView {
  const { id, incarnation } = splitMember(member)
  if (id === '' || incarnation === '' || id.includes('|')) throw new TypeError('node record: is not registered as id|incarnation')
  if (text === null) throw new TypeError('node record: is missing')
  if (typeof text === 'number') throw new TypeError(`node record: must not be longer than ${MAX_RECORD_BYTES} bytes`)
  return toNodeView(checkNodeRecord(id, parseOrRefuse(text, id, parse)), incarnation)
}

function parseOrRefuse (text: string, id: string, parse: ParseRecord): unknown {
  try {
    const record: unknown = parse(text, id)
    refusePromise(record, '"parse"')
    return record
  } catch (cause) {
    // The message of the cause may quote the record.
    throw new TypeError('node record: cannot be parsed', { cause })
  }
}
