import fc from '../../support/fast-check.js'
import type { World } from './world.js'

/** A single event. It does nothing, and returns `false`, if it is not possible. */
export interface Command {
  name: string
  /** Chooses the object of the event. */
  at: number
  /** Chooses the variant of the event. */
  how: number
}

export type Step = (world: World, at: number, how: number) => boolean | Promise<boolean>

export const pick = <T>(from: readonly T[], at: number): T => {
  const picked = from[at % from.length]
  if (picked === undefined) throw new Error('the list to pick from is empty')
  return picked
}
const clientOf = (world: World, at: number) => pick(world.clients, at)
const relayOf = (world: World, at: number) => pick(world.relays, at)
const gatewayOf = (world: World, how: number) => pick(world.gateways, how)

/** Times in leases. */
const WAITS = [0.02, 0.07, 0.17, 0.34, 0.5, 1, 1.4, 2.5, 4.4]

/** Events with their weights. */
type Steps = Record<string, [weight: number, step: Step]>

const STEPS: Steps = {
  join: [8, (world, at, how) => {
    const client = clientOf(world, at)
    if (client.state === 'away') client.state = 'must ask'
    if (client.state !== 'must ask') return false
    world.ask(client, gatewayOf(world, how))
    return true
  }],
  redeem: [8, (world, at) => {
    const client = clientOf(world, at)
    if (client.state !== 'has signature') return false
    world.show(client)
    return true
  }],
  meet: [6, async (world, at, how) => {
    for (const client of world.clients.filter(({ key }) => key === pick(world.rooms, at))) {
      if (client.state === 'away') client.state = 'must ask'
      world.ask(client, gatewayOf(world, how))
      await world.timeline.flush()
      world.show(client)
      await world.timeline.flush()
    }
    return true
  }],
  leave: [3, (world, at) => {
    if (clientOf(world, at).state !== 'inside') return false
    world.leave(clientOf(world, at), 'away')
    return true
  }],
  reload: [3, (world, at) => {
    if (clientOf(world, at).state !== 'inside') return false
    world.leave(clientOf(world, at), 'must ask')
    return true
  }],
  'end call': [2, (world, at, how) => {
    world.endCall(pick(world.rooms, at), gatewayOf(world, how))
    return true
  }],
  advance: [14, async (world, _at, how) => {
    await world.timeline.advance(Math.round(world.times.lease * pick(WAITS, how)))
    return true
  }],
  crash: [2, (world, at) => {
    if (relayOf(world, at).node === undefined) return false
    world.crash(relayOf(world, at))
    return true
  }],
  up: [3, (world, at) => {
    const relay = relayOf(world, at)
    if (relay.node !== undefined || relay.isStarting) return false
    world.startRelay(relay)
    return true
  }],
  pause: [2, (world, at) => {
    const { process } = pick([...world.relays, ...world.relays, ...world.gateways], at)
    if (process.isPaused) return false
    process.isPaused = true
    return true
  }],
  resume: [4, async (world, at) => {
    const paused = [...world.relays, ...world.gateways].filter(({ process }) => process.isPaused)
    if (paused.length === 0) return false
    pick(paused, at).process.isPaused = false
    await world.timeline.advance(0)
    return true
  }],
  cut: [3, (world, at, how) => {
    const { link } = pick([...world.relays, ...world.relays, ...world.gateways], at)
    if (link.isCut) return false
    link.isCut = true
    link.cutMode = how % 2 === 0 ? 'refuse' : 'wait'
    return true
  }],
  heal: [5, (world, at) => {
    const cut = [...world.relays, ...world.gateways].filter(({ link }) => link.isCut)
    if (cut.length === 0) return false
    pick(cut, at).link.isCut = false
    world.store.land()
    return true
  }],
  outage: [2, (world, _at, how) => {
    if (world.store.isAway) return false
    world.store.isAway = true
    for (const { link } of [...world.relays, ...world.gateways]) {
      if (!link.isCut) link.cutMode = how % 2 === 0 ? 'refuse' : 'wait'
    }
    return true
  }],
  back: [4, (world) => {
    if (!world.store.isAway) return false
    world.store.isAway = false
    world.store.land()
    return true
  }]
}

const MORE_STEPS: Steps = {
  delay: [3, (world, at, how) => {
    const { link } = pick([...world.relays, ...world.gateways], at)
    link.next = how % 2 === 0 ? 'late' : 'answered late'
    return true
  }],
  land: [3, (world) => {
    if (world.store.late === 0) return false
    world.store.land()
    return true
  }],
  drain: [1, (world, at) => {
    if (relayOf(world, at).node?.status().state !== 'serving') return false
    world.drain(relayOf(world, at))
    return true
  }],
  undrain: [2, (world, at) => {
    const leaving = world.relays.filter((relay) => relay.leaving !== undefined)
    if (leaving.length === 0) return false
    world.undrain(pick(leaving, at))
    return true
  }],
  order: [1, (world, at, how) => {
    world.order(relayOf(world, at), gatewayOf(world, how), how % 3 === 0 ? 'cordon' : 'drain')
    return true
  }],
  'order back': [2, (world, at, how) => {
    const ordered = world.relays.filter((relay) => relay.mayBeOrdered)
    if (ordered.length === 0) return false
    world.order(pick(ordered, at), gatewayOf(world, how), undefined)
    return true
  }],
  'clock set': [1, (world, at, how) => {
    relayOf(world, at).process.wallOffset += pick([-3_600_000, 4000, 3_600_000], how)
    relayOf(world, at).isAtFault = true
    return true
  }],
  move: [6, (world, at, how) => {
    const target = how % 3 === 0 ? relayOf(world, how / 3) : undefined
    return world.move(pick(world.rooms, at), gatewayOf(world, how), target)
  }]
}

const ALL_STEPS = { ...STEPS, ...MORE_STEPS }

const weightsOf = (steps: Steps) => Object.entries(steps).map(([name, [weight]]) => [name, weight] as const)

/** @param faults faults of the store, with their weights */
export function commandWith (faults: Record<string, number>): fc.Arbitrary<Command> {
  // The order is fixed, so that earlier seeds still give the same commands.
  const weights = new Map([...weightsOf(STEPS), ...Object.entries(faults), ...weightsOf(MORE_STEPS)])
  const names = [...weights].map(([name, weight]) => ({ weight, arbitrary: fc.constant(name) }))
  return fc.record({ name: fc.oneof(...names), at: fc.nat({ max: 11 }), how: fc.nat({ max: 17 }) })
}

/** @returns true if the event was possible */
export async function execute (world: World, { name, at, how }: Command): Promise<boolean> {
  const step = world.faults[name] ?? ALL_STEPS[name]?.[1]
  const happened = step !== undefined && await step(world, at, how)
  await world.timeline.flush()
  return happened
}

/** Heals all faults but one: a node that stays cut off. */
export async function healAll (world: World, staysCut?: number): Promise<void> {
  world.store.heal()
  for (const { process, link } of [...world.relays, ...world.gateways]) {
    process.isPaused = false
    link.isCut = false
    link.next = undefined
  }
  for (const [at, relay] of world.relays.entries()) if (at === staysCut) relay.link.isCut = true
  world.store.land()
  for (const relay of world.relays) {
    world.startRelay(relay)
    world.undrain(relay)
  }
  await world.timeline.flush()
}

/** Lets every client ask again each half second. @returns seconds until both clients of every room are together */
export async function secondsToMeet (world: World, limit: number): Promise<number | undefined> {
  for (const client of world.clients) if (client.state === 'away') client.state = 'must ask'
  for (let step = 0; step <= limit * 2; step++) {
    // An operator who could not reach the store tries again, and takes back what arrived late.
    for (const relay of world.relays) {
      const { state, order } = relay.node?.status() ?? {}
      if (state === 'drained') world.undrain(relay)
      if (relay.mayBeOrdered || order !== undefined) world.order(relay, gatewayOf(world, step), undefined)
    }
    for (const [at, client] of world.clients.entries()) {
      world.ask(client, pick(world.gateways, at + step))
      await world.timeline.flush()
      world.show(client)
      await world.timeline.flush()
    }
    if (world.rooms.every((key) => world.nodeOf(key) !== undefined)) return step / 2
    await world.timeline.advance(500)
  }
  return undefined
}
