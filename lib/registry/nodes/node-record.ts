import { randomId } from '../../random-id.js'
import { addressFault } from '../../common/address.js'
import type { NodeRecord, NodeView } from '../../../types/registry.js'

/** Longest record that is read: it holds only a few addresses and numbers. */
export const MAX_RECORD_BYTES = 4096
/** Incarnation of every node that another program lists. */
export const LISTED_INCARNATION = '-'

export const NODE_ID = /^[A-Za-z0-9._:-]{1,64}$/
const WORD_RULE = 'must be 1 to 64 of A-Z a-z 0-9 . _ : -'
const MAX_LABELS = 16

const isWord = (value: unknown): value is string => typeof value === 'string' && NODE_ID.test(value)
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const FIELDS: Record<Exclude<keyof NodeRecord, 'id' | 'wssUrl' | 'wssUrlOut'>, [(value: unknown) => boolean, string]> = {
  weight: [(value) => typeof value === 'number' && value > 0 && value <= 1000, 'must be a number above 0, at most 1000'],
  zone: [isWord, WORD_RULE],
  version: [isWord, WORD_RULE],
  labels: [areLabels,
    `must be an object of at most ${MAX_LABELS} names and values, each 1 to 64 of A-Z a-z 0-9 . _ : -`],
  draining: [(value) => typeof value === 'boolean', 'must be true or false'],
  rooms: [isWhole, 'must be a whole number'],
  capacity: [isWhole, 'must be a whole number']
}

/**
 * Checks the description of a node. Unknown fields are dropped, so that a later version can add some.
 *
 * @throws TypeError that names the field
 */
export function checkNodeRecord (id: unknown, value: unknown): NodeRecord {
  if (typeof id !== 'string' || !NODE_ID.test(id)) throw new TypeError(`node record: "id" ${WORD_RULE}`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('node record: must be an object')
  }
  const given = value as Record<string, unknown>
  const record: Record<string, unknown> = { id, wssUrl: given.wssUrl }
  const fault = addressFault(given.wssUrl)
  if (fault !== undefined) throw new TypeError(`node record: "wssUrl" ${fault}`)
  if (given.wssUrlOut !== undefined) {
    const faultOut = addressFault(given.wssUrlOut)
    if (faultOut !== undefined) throw new TypeError(`node record: "wssUrlOut" ${faultOut}`)
    record.wssUrlOut = given.wssUrlOut
  }
  for (const [field, [isGood, rule]] of Object.entries(FIELDS)) {
    if (given[field] === undefined) continue
    if (!isGood(given[field])) throw new TypeError(`node record: "${field}" ${rule}`)
    record[field] = given[field]
  }
  // Every field was checked above.
  return record as unknown as NodeRecord
}

function areLabels (value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const labels = Object.entries(value)
  return labels.length <= MAX_LABELS && labels.every(([name, value]) => isWord(name) && isWord(value))
}

/** The record with its defaults, as the choice of a node needs it. */
export function toNodeView (record: NodeRecord, incarnation: string): NodeView {
  const { weight = 1, draining = false, rooms = 0 } = record
  return { incarnation, ...record, weight, draining, rooms }
}

/** A node under an order is, for the choice, one that drains. */
export const toDraining = (view: NodeView): NodeView => Object.assign({}, view, { draining: true })

/** 128 random bits, so that no two registrations are ever confused. */
export function newIncarnation (): string {
  return randomId()
}

/**
 * Leaves space for the number of rooms and the draining flag, which are added later.
 *
 * @throws TypeError if the record is too long
 */
export function assertSize ({ id, ...record }: NodeRecord): void {
  if (Buffer.byteLength(JSON.stringify(record)) > MAX_RECORD_BYTES - 64) {
    throw new TypeError(`node record: must not be longer than ${MAX_RECORD_BYTES} bytes`)
  }
}
