import { randomBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { checkOptions, ObjectWithMethods } from '../common/check-options.js'
import { DRAIN_DEADLINE_MS, MAX_RETURN_MS } from '../registry/nodes/node-order.js'
import { checkNodeRecord } from '../registry/nodes/node-record.js'
import { milliseconds } from '../common/durations.js'
import { checkOrigins, OriginsSchema } from '../common/origins.js'
import { checkLifetime, readSigning, SigningSchema } from '../signing/options.js'
import type { SigningSettings } from '../signing/options.js'
import type { DrainOptions, NodeOptions } from '../../types/node.js'
import type { MetricsRegistry } from '../../types/options.js'
import type { NodeRecord, Registry } from '../../types/registry.js'

const count = Type.Integer({ minimum: 1, description: 'an integer of at least 1' })

// The node's own fields are checked like any node record.
const OfRecord = Type.Optional(Type.Unknown())

export const NodeOptionsSchema = Type.Object({
  registry: ObjectWithMethods('a registry such as redisRegistry({ redis })', 'join'),
  id: OfRecord,
  wssUrl: Type.String({ description: 'an address such as wss://10.1.2.3:8443/ws/cobrowse/1' }),
  wssUrlOut: OfRecord,
  weight: OfRecord,
  zone: OfRecord,
  version: OfRecord,
  labels: OfRecord,
  capacity: OfRecord,
  signing: SigningSchema,
  allowedOrigins: Type.Optional(OriginsSchema),
  maxSeats: Type.Optional(count),
  seatsPerRoom: Type.Optional(count),
  patience: Type.Optional(milliseconds(1)),
  suspendFor: Type.Optional(milliseconds(1)),
  metrics: Type.Optional(ObjectWithMethods('a prom-client registry', 'registerMetric', 'getSingleMetric'))
}, { additionalProperties: false })

export const NODE_DEFAULTS = Object.freeze({
  maxSeats: 10_000, seatsPerRoom: 32, patience: 2000, suspendFor: 600_000
})

/** Checked and complete; of the caller's own objects only the registry is kept. */
export interface NodeSettings {
  registry: Registry
  record: NodeRecord
  signing: SigningSettings
  allowedOrigins: readonly string[] | undefined
  maxSeats: number
  seatsPerRoom: number
  /** Milliseconds. */
  patience: number
  /** Milliseconds. */
  suspendFor: number
  metrics: MetricsRegistry | undefined
}

/** @throws TypeError that names the option and the rule */
export function readNodeOptions (options: NodeOptions): NodeSettings {
  checkOptions('joinCobrowse', NodeOptionsSchema, options)
  const { registry, maxSeats, seatsPerRoom, patience, suspendFor, allowedOrigins, metrics } = options
  checkOrigins(allowedOrigins ?? [])
  const signing = readSigning(options.signing, false)
  checkLifetime(signing, registry.linger)
  return {
    registry,
    record: readRecord(options),
    signing,
    allowedOrigins: allowedOrigins && [...allowedOrigins],
    maxSeats: maxSeats ?? NODE_DEFAULTS.maxSeats,
    seatsPerRoom: seatsPerRoom ?? NODE_DEFAULTS.seatsPerRoom,
    patience: patience ?? NODE_DEFAULTS.patience,
    suspendFor: suspendFor ?? NODE_DEFAULTS.suspendFor,
    metrics
  }
}

function readRecord ({ id = `node-${randomBytes(8).toString('hex')}`, ...options }: NodeOptions): NodeRecord {
  const { wssUrl, wssUrlOut, weight, zone, version, labels, capacity } = options
  try {
    return checkNodeRecord(id, { wssUrl, wssUrlOut, weight, zone, version, labels, capacity })
  } catch (cause) {
    // checkNodeRecord throws nothing but a TypeError.
    const { message } = cause as TypeError
    throw new TypeError(`the options of joinCobrowse are not a valid ${message}`, { cause })
  }
}

const DrainSchema = Type.Object({
  deadline: Type.Optional(milliseconds(0)),
  returnWithin: Type.Optional(Type.Integer({
    minimum: 0, maximum: MAX_RETURN_MS, description: `an integer from 0 to ${MAX_RETURN_MS}, in milliseconds`
  }))
}, { additionalProperties: false })

/** @throws TypeError that names the option and the rule */
export function readDrainOptions (options: DrainOptions): { deadline: number, returnWithin: number } {
  checkOptions('drain', DrainSchema, options)
  return { deadline: options.deadline ?? DRAIN_DEADLINE_MS, returnWithin: options.returnWithin ?? 0 }
}
