import type { RegistryOperations } from '../../../types/operations.js'
import type { Membership, Registry } from '../../../types/registry.js'
import type { Pace } from './pace.js'

type Patiently = Pace['patiently']

/** Wraps a registry to ask again after a failure, since a busy machine is no fault of the adapter. */
export function patientRegistry (registry: Registry, patiently: Patiently): Registry {
  return {
    start: (context) => registry.start(context),
    status: () => registry.status(),
    close: async (context) => await registry.close(context),
    nodes: () => registry.nodes(),
    assign: async (...args) => await patiently(async () => await registry.assign(...args)),
    join: async (record) => patientMembership(await patiently(async () => await registry.join(record)), patiently),
    ...registry.end !== undefined && {
      end: async (...args) => await patiently(async () => await registry.end?.(...args))
    },
    ...registry.linger !== undefined && { linger: registry.linger },
    ...registry.operations !== undefined && { operations: patientOperations(registry.operations, patiently) }
  }
}

function patientOperations (operations: RegistryOperations, patiently: Patiently): RegistryOperations {
  return {
    nodes: async () => await patiently(async () => await operations.nodes()),
    explain: async (...args) => await patiently(async () => await operations.explain(...args)),
    rooms: (...args) => operations.rooms(...args),
    orders: async () => await patiently(async () => await operations.orders()),
    setOrder: async (...args) => await patiently(async () => await operations.setOrder(...args)),
    move: async (...args) => await patiently(async () => await operations.move(...args))
  }
}

function patientMembership (member: Membership, patiently: Patiently): Membership {
  return {
    id: member.id,
    get incarnation () { return member.incarnation },
    get order () { return member.order },
    valid: () => member.valid(),
    now: () => member.now(),
    holds: (room) => member.holds(room),
    endedAt: (room) => member.endedAt(room),
    claim: async (...args) => await patiently(async () => await member.claim(...args)),
    release: async (room) => await patiently(async () => await member.release(room)),
    drain: async () => await patiently(async () => await member.drain()),
    undrain: async () => await patiently(async () => await member.undrain()),
    leave: async () => await patiently(async () => await member.leave()),
    on: (event, listener) => member.on(event, listener)
  }
}
