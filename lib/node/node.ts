import { createEmitter } from '../common/emitter.js'
import { createAdmission } from './admission.js'
import { AdmissionError } from './admission-error.js'
import { readDrainOptions } from './options.js'
import { NO_METRICS } from './metrics.js'
import { inTime, joinInTime, quietly } from './in-time.js'
import { createRooms } from './rooms.js'
import type { Clock } from '../common/clock.js'
import type { Verify } from './admission.js'
import type { NodeMetrics } from './metrics.js'
import type { NodeSettings } from './options.js'
import type { AdmitOptions, CobrowseNode, NodeEvents, NodeStatus, Seat, SeatEnd } from '../../types/node.js'
import type { NodeOrder } from '../../types/operations.js'
import type { Membership, NodeRecord } from '../../types/registry.js'

const MOVED: SeatEnd = { code: 4410, reason: 'the room moved: ask again' }
const ENDED: SeatEnd = { code: 4410, reason: 'the call ended' }
const LEFT = 'the node is leaving: ask again'

/** Milliseconds between two tries to join again. */
const RETURN_MS = 1000

type Phase = 'serving' | 'draining' | 'leaving' | 'drained' | 'replaced' | 'closed'

/** The external parts of a node; tests inject their own. */
export interface NodeParts {
  clock: Clock
  verify: Verify
  join (record: NodeRecord): Promise<Membership>
  metrics?: NodeMetrics | undefined
}

export type NodeCoreSettings = Omit<NodeSettings, 'registry' | 'signing' | 'metrics'> & { signing: { skew: number } }

/** @throws the error of `join`, or one if it took too long */
export async function createNode (settings: NodeCoreSettings, parts: NodeParts): Promise<CobrowseNode> {
  const { record, signing: { skew }, allowedOrigins, maxSeats, seatsPerRoom, patience, suspendFor } = settings
  const { clock, verify, metrics = NO_METRICS } = parts
  const join = async () => await joinInTime(clock, async () => await parts.join({ ...record }))
  const events = createEmitter<NodeEvents>()
  let phase: Phase = 'serving'
  let membership = await join()
  let cancelDeadline = () => {}
  let drains: Array<(left: boolean) => void> = []
  let leaving: Promise<void> | undefined
  let joining: Promise<void> | undefined
  let closing: Promise<void> | undefined
  let returnWithin = 0
  /** Whether an order of an operator makes the node drain: it joins again as soon as it is empty. */
  let isOrdered = false
  /** The order that this node has followed. A new process has no rooms that would have to leave. */
  let followed = membership.order

  const isServing = () => phase === 'serving' || phase === 'draining'
  const isRegistered = () => isServing() || phase === 'leaving'

  const rooms = createRooms({
    clock,
    maxSeats,
    seatsPerRoom,
    patience,
    suspendFor,
    doors: {
      areOpen: (room) => membership.holds(room),
      giveUp: (room) => quietly(async () => await membership.release(room))
    },
    onOpened: (room) => events.emit('opened', room),
    onClosed: (room) => events.emit('closed', room),
    onVacant () {
      if (phase === 'draining') leave()
    }
  })

  const admission = createAdmission({
    clock,
    verify,
    rooms,
    startedAt: membership.now(),
    skew,
    allowedOrigins,
    onClaimed: (result) => metrics.claimed(record.id, result),
    membership () {
      if (!isServing()) throw new AdmissionError(4410, new Error(`the node is ${phase}`))
      return membership
    }
  })

  async function admit (signature: string, options?: AdmitOptions): Promise<Seat> {
    try {
      const seat = await admission(signature, options)
      metrics.admitted(record.id)
      return seat
    } catch (error) {
      metrics.refused(record.id, error instanceof AdmissionError ? error.closeCode : undefined)
      throw error
    }
  }

  function listen (joined: Membership): void {
    const ifPresent = <D extends unknown[]> (react: (...details: D) => void) => (...details: D) => {
      if (membership === joined && isRegistered()) react(...details)
    }
    joined.on('lapsed', ifPresent(() => {
      rooms.suspend()
      metrics.lapsed(record.id)
      events.emit('lapsed')
    }))
    joined.on('resumed', ifPresent(() => {
      rooms.resume()
      events.emit('resumed')
    }))
    joined.on('ordered', ifPresent((order) => {
      follow(order)
      events.emit('ordered', order)
    }))
    joined.on('lost', ifPresent((room) => {
      metrics.roomLost(record.id)
      rooms.close(room, MOVED)
    }))
    joined.on('ended', ifPresent((room) => rooms.close(room, ENDED)))
    joined.on('replaced', ifPresent(() => {
      end('replaced')
      events.emit('replaced')
    }))
  }

  async function joinAgain (): Promise<void> {
    const joined = await join()
    if (phase !== 'drained') {
      await inTime(clock, async () => await joined.leave())
      throw new Error(`the node is ${phase}`)
    }
    membership = joined
    phase = 'serving'
    returnWithin = 0
    isOrdered = false
    listen(joined)
    follow(joined.order)
  }

  /** Drains once for each order; a cordon needs nothing but the record. */
  function follow (order: NodeOrder | undefined): void {
    const isNew = JSON.stringify(order) !== JSON.stringify(followed)
    followed = order
    if (order?.kind !== 'drain') return isOrdered && phase === 'draining' ? stopDraining() : undefined
    // A drain of the program itself ends in a leave for good.
    if (!isNew || !(phase === 'serving' || (phase === 'draining' && isOrdered))) return
    isOrdered = true
    returnWithin = order.returnWithin ?? 0
    startDraining(Math.max(0, order.at + (order.deadline ?? 0) - membership.now()))
  }

  function startDraining (deadline: number): void {
    phase = 'draining'
    cancelDeadline()
    if (deadline === 0 || rooms.isVacant()) leave()
    else cancelDeadline = clock.after(deadline, leave)
  }

  function stopDraining (): void {
    phase = 'serving'
    returnWithin = 0
    isOrdered = false
    cancelDeadline()
    settleDrains(false)
  }

  /** Under a fresh incarnation no earlier signature counts, and no room is bound to the node. */
  function returnEmpty (): void {
    if (phase !== 'drained' || !isOrdered) return
    rejoin().catch(() => { clock.after(RETURN_MS, returnEmpty) })
  }

  async function rejoin (): Promise<void> {
    joining ??= joinAgain().finally(() => { joining = undefined })
    await joining
  }

  /** Clients that ask again must get another node, so the registry is told first. */
  function leave (): void {
    phase = 'leaving'
    cancelDeadline()
    leaving = inTime(clock, async () => await membership.leave()).then(() => {
      if (phase !== 'leaving') return
      end('drained')
      returnEmpty()
    })
  }

  function end (last: 'drained' | 'replaced' | 'closed'): void {
    phase = last
    cancelDeadline()
    rooms.closeAll({ code: 4410, reason: returnWithin > 0 ? `${LEFT} within ${returnWithin} ms` : LEFT })
    settleDrains(true)
  }

  function settleDrains (left: boolean): void {
    for (const settle of drains) settle(left)
    drains = []
  }

  function state (): NodeStatus['state'] {
    if (phase === 'leaving' || (phase === 'drained' && isOrdered)) return 'draining'
    if (phase !== 'serving') return phase
    if (!membership.valid()) return 'lapsed'
    const { order } = membership
    return order === undefined ? phase : order.kind === 'cordon' ? 'cordoned' : 'draining'
  }

  const status = (): NodeStatus => ({
    id: record.id,
    incarnation: membership.incarnation,
    state: state(),
    rooms: rooms.count(),
    seats: rooms.seats(),
    ...membership.order && { order: membership.order }
  })

  listen(membership)
  const unwatch = metrics.watch(status)
  return {
    id: record.id,
    get incarnation () {
      return membership.incarnation
    },
    admit,
    valid: () => isServing() && membership.valid(),
    status,
    async drain (options = {}) {
      const { deadline, ...asked } = readDrainOptions(options)
      if (phase === 'closed') await closing
      if (phase === 'drained' && isOrdered) await joining?.catch(() => {})
      const wasOrdered = isOrdered
      isOrdered = false
      if (!isRegistered()) return true
      const left = new Promise<boolean>((resolve) => drains.push(resolve))
      if (!isServing()) return await left
      const isFirst = phase === 'serving' || wasOrdered
      returnWithin = asked.returnWithin
      startDraining(deadline)
      if (isFirst && isServing()) quietly(async () => await membership.drain())
      return await left
    },
    async undrain () {
      // A leave that has begun cannot be withdrawn.
      await leaving
      if (phase === 'closed' || phase === 'replaced') throw new Error(`the node is ${phase}`)
      if (phase === 'drained') {
        await rejoin()
      } else if (phase === 'draining' && !isOrdered) {
        stopDraining()
        await inTime(clock, async () => await membership.undrain())
        // An order that came meanwhile, or was overridden, is still in force.
        followed = undefined
        follow(membership.order)
      }
    },
    async close () {
      closing ??= (async () => {
        phase = 'closed'
        cancelDeadline()
        await inTime(clock, async () => await Promise.allSettled([membership.leave(), joining]))
        end('closed')
        unwatch()
      })()
      await closing
    },
    on: events.on
  }
}
