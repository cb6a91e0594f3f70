import { Type } from '@sinclair/typebox'
import { systemClock } from '../../common/clock.js'
import { DeadlineError, withDeadline } from '../../common/deadline.js'
import { checkOptions, FunctionOption, ObjectWithMethods } from '../../common/check-options.js'
import { NODE_ID } from '../../registry/nodes/node-record.js'
import { milliseconds } from '../../common/durations.js'
import { checkLifetime, readSigning, SigningSchema } from '../../signing/options.js'
import { parseHosts } from '../../zookeeper-client/hosts.js'
import { BEATS_PER_SESSION } from '../../zookeeper-client/connection.js'
import type { RedisTimes } from '../../registry/redis/store.js'
import type { SigningSettings } from '../../signing/options.js'
import type { Sign } from './forge.js'
import type { CheckNodeOptions } from '../../../types/testing.js'

const duration = Type.Optional(milliseconds(1))
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))
const callback = Type.Optional(FunctionOption('a function'))
// The registry of the runner checks these options.
const OfRegistry = Type.Optional(Type.Unknown())

const Options = Type.Object({
  redis: Type.Optional(ObjectWithMethods('an ioredis client', 'eval', 'evalsha', 'get', 'pttl', 'del', 'hget', 'hset', 'zscore',
    'zrem', 'zrangebyscore', 'script')),
  zookeeper: text('a list host:port,host:port with an optional /chroot behind it'),
  prefix: OfRegistry,
  nodeId: Type.String({ pattern: NODE_ID.source, description: '1 to 64 of A-Z a-z 0-9 . _ : -' }),
  wssUrl: text('a WebSocket address'),
  signing: SigningSchema,
  lease: OfRegistry,
  heartbeat: OfRegistry,
  linger: OfRegistry,
  patience: duration,
  slack: duration,
  WebSocket: FunctionOption('the constructor of a WebSocket, such as that of ws'),
  message: callback,
  cut: callback,
  heal: callback,
  drop: callback,
  stop: callback,
  start: callback,
  timeout: duration,
  log: callback,
  only: Type.Optional(Type.Array(Type.String(), { description: 'a list of ids of rules' }))
}, { additionalProperties: false })

/** Milliseconds in which a node decides after the store's answer. */
const DECISION_MS = 1000

type Work = () => void | Promise<void>

/** Checked options with their defaults. */
export interface Settings extends Pick<CheckNodeOptions, 'redis' | 'zookeeper' | 'nodeId' | 'wssUrl' | 'WebSocket'> {
  prefix: string
  signing: SigningSettings
  /** Signs with the first key. */
  signText: Sign
  times: RedisTimes
  patience: number
  /** Milliseconds in which a client is admitted or rejected. */
  answerMs: number
  /** Milliseconds in which a node acts on the answer to its next heartbeat. */
  beatMs: number
  /** Milliseconds in which a node that lost its registration has a new one. */
  recoverMs: number
  /** Throw an error that names the function if it does not end in time. */
  cut: (() => Promise<void>) | undefined
  heal: (() => Promise<void>) | undefined
  drop: (() => Promise<void>) | undefined
  stop: (() => Promise<void>) | undefined
  start: (() => Promise<void>) | undefined
  message (text: string): string
  log (line: string): void
  isAsked (id: string): boolean
}

/**
 * @param ids of all rules
 * @throws TypeError that names the option and the rule
 */
export function readCheckOptions (options: CheckNodeOptions, ids: readonly string[]): Settings {
  checkOptions('checkNode', Options, options)
  const { redis, zookeeper, nodeId, wssUrl, WebSocket, cut, heal, drop, stop, start, only } = options
  checkStore(options)
  const { prefix = '{cobrowse}', lease = 6000, linger = 20, patience = 2000, slack = 2000 } = options
  const { heartbeat = zookeeper === undefined ? 2000 : lease / BEATS_PER_SESSION } = options
  const { message = (text) => text, log = () => {}, timeout = 120_000 } = options
  const signing = readSigning(options.signing, true)
  checkLifetime(signing, linger)
  checkCouple({ cut, heal })
  checkCouple({ stop, start })
  const stranger = only?.find((id) => !ids.includes(id))
  if (stranger !== undefined) throw new TypeError(`"only" option of checkNode: there is no rule "${stranger}"`)
  const answerMs = DECISION_MS + slack
  const beatMs = 2 * heartbeat + answerMs
  return {
    redis,
    zookeeper,
    prefix,
    nodeId,
    wssUrl,
    signing,
    signText: (text) => signing.keys.first().sign?.(text) ?? '',
    WebSocket,
    times: { lease, heartbeat, linger: linger * 1000 },
    patience,
    answerMs,
    beatMs,
    recoverMs: 2 * lease + beatMs,
    message,
    cut: limited('cut', cut, timeout),
    heal: limited('heal', heal, timeout),
    drop: limited('drop', drop, timeout),
    stop: limited('stop', stop, timeout),
    start: limited('start', start, timeout),
    log,
    isAsked: (id) => only === undefined || only.includes(id)
  }
}

/** The first server of a list; `undefined` if it is no list. */
export function firstServerOf (hosts: string): { host: string, port: number } | undefined {
  try {
    return parseHosts(hosts).servers[0]
  } catch {
    return undefined
  }
}

/** @throws TypeError unless the options name one store */
function checkStore ({ redis, zookeeper, prefix }: CheckNodeOptions): void {
  if ((redis === undefined) === (zookeeper === undefined)) {
    throw new TypeError('options of checkNode: give either "redis" or "zookeeper"')
  }
  if (zookeeper === undefined) return
  if (prefix !== undefined) throw new TypeError('"prefix" option of checkNode is for "redis": put a path behind the hosts')
  if (firstServerOf(zookeeper) !== undefined) return
  throw new TypeError('"zookeeper" option of checkNode must be a list as in host:port,host:port/chroot')
}

/** Bounds a function of the caller. */
function limited (name: string, work: Work | undefined, ms: number): (() => Promise<void>) | undefined {
  return work && (async () => {
    try {
      await withDeadline({ clock: systemClock, ms }, async () => await work())
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      throw new Error(`"${name}" of checkNode has not ended within ${ms} ms`, { cause: error })
    }
  })
}

function checkCouple (couple: Record<string, unknown>): void {
  const missing = Object.keys(couple).filter((name) => couple[name] === undefined)
  if (missing.length !== 1) return
  throw new TypeError(`"${missing[0]}" option of checkNode must be a function where its counterpart is one`)
}
