import { Type } from '@sinclair/typebox'
import { checkOptions, FunctionOption } from '../common/check-options.js'
import { milliseconds } from '../common/durations.js'
import { NodeOptionsSchema, readDrainOptions, readNodeOptions } from '../node/options.js'
import type { DrainOptions, NodeOptions, Seat } from '../../types/node.js'
import type { RelayLog, RelayOptions, StartRelayOptions } from '../../types/relay.js'

/** In Fastify's list of plugins, and in messages about options. */
export const RELAY_NAME = 'fastify-cobrowse/relay'

const bytes = Type.Integer({ minimum: 1024, description: 'an integer of at least 1024, in bytes' })

const RelaySchema = Type.Object({
  ...NodeOptionsSchema.properties,
  id: Type.String({ description: '1 to 64 of A-Z a-z 0-9 . _ : -' }),
  takeover: Type.Optional(Type.Boolean({ description: 'a boolean' })),
  isObserver: Type.Optional(FunctionOption('a function (seat) => boolean')),
  maxMessageBytes: Type.Optional(bytes),
  maxReplayerMessageBytes: Type.Optional(bytes),
  messagesPerSecond: Type.Optional(Type.Integer({ minimum: 1, description: 'an integer of at least 1' })),
  bytesPerSecond: Type.Optional(bytes),
  maxBufferedBytes: Type.Optional(bytes),
  maxTotalBufferedBytes: Type.Optional(bytes),
  pingInterval: Type.Optional(milliseconds(100)),
  log: Type.Optional(Type.Object({}, { description: 'a logger such as app.log' }))
}, { additionalProperties: false })

const PluginSchema = Type.Object({
  ...RelaySchema.properties,
  path: Type.Optional(Type.String({ pattern: '^/', description: 'a path such as /ws/cobrowse/1' })),
  drain: Type.Optional(Type.Object({}, { description: 'an object such as { deadline: 0, returnWithin: 2000 }' })),
  // Fastify passes these to every plugin beside its own options.
  prefix: Type.Optional(Type.String({ description: 'a path' })),
  logLevel: Type.Optional(Type.String({ description: 'a log level' })),
  logSerializers: Type.Optional(Type.Object({}, { description: 'an object' }))
}, { additionalProperties: false })

const MIB = 1024 * 1024

export const RELAY_DEFAULTS = Object.freeze({
  takeover: false,
  maxMessageBytes: 4 * MIB,
  maxReplayerMessageBytes: 64 * 1024,
  messagesPerSecond: 500,
  bytesPerSecond: 8 * MIB,
  // A page of 32 Mi characters of ASCII fits in. A slow viewer that is dropped gets it again, and is dropped again.
  maxBufferedBytes: 48 * MIB,
  maxTotalBufferedBytes: 256 * MIB,
  pingInterval: 5000
})

export const DRAIN_DEFAULTS = Object.freeze({ deadline: 0, returnWithin: 2000 })

const NO_LOG: RelayLog = { debug () {}, info () {}, warn () {} }

type Limits = { [N in keyof typeof RELAY_DEFAULTS]: typeof RELAY_DEFAULTS[N] extends boolean ? boolean : number }

/** Checked and complete. */
export interface RelaySettings extends Limits {
  /** Options of the kit. */
  node: NodeOptions
  isObserver (seat: Seat): boolean
  log: RelayLog
}

/** @throws TypeError that names all wrong options and their rules */
export function readRelayOptions (options: StartRelayOptions): RelaySettings {
  checkOptions('startRelay', RelaySchema, options)
  const {
    takeover, isObserver = () => false, maxMessageBytes, maxReplayerMessageBytes, messagesPerSecond, bytesPerSecond,
    maxBufferedBytes, maxTotalBufferedBytes, pingInterval, log = NO_LOG, ...node
  } = options
  // The kit checks its own options when the node joins, which is too late for a server that already listens.
  readNodeOptions(node)
  return {
    node,
    isObserver,
    log,
    takeover: takeover ?? RELAY_DEFAULTS.takeover,
    maxMessageBytes: maxMessageBytes ?? RELAY_DEFAULTS.maxMessageBytes,
    maxReplayerMessageBytes: maxReplayerMessageBytes ?? RELAY_DEFAULTS.maxReplayerMessageBytes,
    messagesPerSecond: messagesPerSecond ?? RELAY_DEFAULTS.messagesPerSecond,
    bytesPerSecond: bytesPerSecond ?? RELAY_DEFAULTS.bytesPerSecond,
    maxBufferedBytes: maxBufferedBytes ?? RELAY_DEFAULTS.maxBufferedBytes,
    maxTotalBufferedBytes: maxTotalBufferedBytes ?? RELAY_DEFAULTS.maxTotalBufferedBytes,
    pingInterval: pingInterval ?? RELAY_DEFAULTS.pingInterval
  }
}

export interface PluginSettings {
  path: string
  drain: DrainOptions
  relay: StartRelayOptions
}

/** @throws TypeError that names all wrong options and their rules */
export function readPluginOptions (options: RelayOptions): PluginSettings {
  checkOptions(RELAY_NAME, PluginSchema, options)
  const { path, drain = DRAIN_DEFAULTS, ...others } = options
  const relay = Object.fromEntries(Object.entries(others).filter(([name]) => name in RelaySchema.properties))
  readDrainOptions(drain)
  // Checked above, name by name.
  const relayOptions = relay as unknown as StartRelayOptions
  readRelayOptions(relayOptions)
  return { path: path ?? new URL(options.wssUrl).pathname, drain, relay: relayOptions }
}
