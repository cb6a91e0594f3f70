import { createEmitter } from '../../lib/common/emitter.js'
import { roomName } from '../../lib/common/room-name.js'
import type { NodeOrder } from '../../types/operations.js'
import type { ClaimOptions, ClaimResult, Membership, MembershipEvents, NodeRecord, RoomKey } from '../../types/registry.js'

export interface FakeMembership extends Membership {
  order?: NodeOrder | undefined
  /** Requests to the registry, in order, as `claim t/r`. */
  readonly calls: string[]
  readonly claimOptions: ClaimOptions[]
  /** Answers to the next claims, one each; further claims are granted. */
  answer: (claim: (room: RoomKey) => ClaimResult, room: RoomKey) => ClaimResult | Promise<ClaimResult>
  /** Effects of `leave`, `drain` and `release`, beside being recorded. */
  work: (call: string) => Promise<void>
  lapse (): void
  /** Revives the lease; the named rooms stay behind a shut door. */
  resume (deferred?: RoomKey[]): void
  /** Opens the door of a room without notice. */
  open (room: RoomKey): void
  lose (room: RoomKey): void
  endCall (room: RoomKey): void
  /** An operator gives an order, or takes it back. */
  give (order: NodeOrder | undefined): void
  replace (): void
}

/** Creates the node's side of a registry that does as the test says. */
export function createFakeMembership ({ id }: Pick<NodeRecord, 'id'>, now: () => number): FakeMembership {
  const events = createEmitter<MembershipEvents>()
  const held = new Map<string, { room: RoomKey, isShut: boolean }>()
  const releases = new Map<string, number>()
  const calls: string[] = []
  let registrations = 1
  let isValid = true

  const note = async (call: string) => {
    calls.push(call)
    await fake.work(call)
  }
  const grant = (room: RoomKey): ClaimResult => {
    if (!isValid) return 'lapsed'
    held.set(roomName(room), { room, isShut: false })
    return 'ok'
  }

  const fake: FakeMembership = {
    id,
    calls,
    claimOptions: [],
    get incarnation () {
      return `incarnation-${registrations}`
    },
    answer: (claim, room) => claim(room),
    work: async () => {},
    valid: () => isValid,
    now,
    async claim (room, options) {
      if (!isValid) return 'lapsed'
      if (fake.holds(room)) return 'ok'
      calls.push(`claim ${room.tenant}/${room.room}`)
      if (options !== undefined) fake.claimOptions.push(options)
      return await fake.answer(grant, room)
    },
    holds: (room) => isValid && held.get(roomName(room))?.isShut === false,
    endedAt: (room) => releases.get(roomName(room)),
    async release (room) {
      held.delete(roomName(room))
      await note(`release ${room.tenant}/${room.room}`)
    },
    drain: async () => await note('drain'),
    undrain: async () => await note('undrain'),
    async leave () {
      isValid = false
      await note('leave')
    },
    on: events.on,
    lapse () {
      isValid = false
      for (const room of held.values()) room.isShut = true
      events.emit('lapsed')
    },
    resume (deferred = []) {
      isValid = true
      registrations++
      const names = deferred.map(roomName)
      for (const [name, room] of held) room.isShut = names.includes(name)
      events.emit('resumed')
    },
    open (room) {
      held.set(roomName(room), { room, isShut: false })
    },
    lose (room) {
      held.delete(roomName(room))
      events.emit('lost', room)
    },
    endCall (room) {
      releases.set(roomName(room), now())
      held.delete(roomName(room))
      events.emit('ended', room)
    },
    give (order) {
      fake.order = order
      events.emit('ordered', order)
    },
    replace () {
      isValid = false
      events.emit('replaced')
    }
  }
  return fake
}
