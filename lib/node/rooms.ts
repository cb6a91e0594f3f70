import { roomName } from '../common/room-name.js'
import { createRoom } from './room.js'
import type { Room, RoomOptions } from './room.js'
import type { Seat, SeatEnd } from '../../types/node.js'
import type { RoomKey } from '../../types/registry.js'
import type { SignatureClaims } from '../../types/signature.js'

export interface RoomsOptions extends Omit<RoomOptions, 'tally' | 'onChange'> {
  maxSeats: number
  seatsPerRoom: number
  /** Called if no client is inside any room, or about to enter. */
  onVacant (): void
}

/** The rooms of a node. */
export interface Rooms {
  /** Number of open rooms, including rooms that all clients left while the door was shut. */
  count (): number
  seats (): number
  isVacant (): boolean
  isOpen (room: RoomKey): boolean
  isFull (room: RoomKey): boolean
  /** A client is about to enter: the claim is kept until the result is called, once. */
  expect (room: RoomKey): () => void
  take (claims: SignatureClaims): Seat
  /** The claim of the room may have changed. */
  review (room: RoomKey): void
  /** The registry is out of reach. */
  suspend (): void
  /** The registry is back: rooms without clients are given up. */
  resume (): void
  close (room: RoomKey, end: SeatEnd): void
  closeAll (end: SeatEnd): void
}

export function createRooms ({ maxSeats, seatsPerRoom, onVacant, ...options }: RoomsOptions): Rooms {
  const rooms = new Map<string, Room>()
  const tally = { seats: 0, expected: 0 }

  const find = (key: RoomKey) => rooms.get(roomName(key))
  const isVacant = () => tally.seats === 0 && tally.expected === 0

  function findOrMake ({ tenant, room: id }: RoomKey): Room {
    const key = Object.freeze({ tenant, room: id })
    const name = roomName(key)
    const room = rooms.get(name) ?? createRoom(key, { ...options, tally, onChange })
    rooms.set(name, room)
    return room
  }

  function onChange (room: Room): void {
    if (!room.isOpen() && room.isUnused()) rooms.delete(roomName(room.key))
    if (isVacant()) onVacant()
  }

  return {
    count: () => [...rooms.values()].filter((room) => room.isOpen()).length,
    seats: () => tally.seats,
    isVacant,
    isOpen: (key) => find(key)?.isOpen() === true,
    isFull: (key) => tally.seats >= maxSeats || (find(key)?.seats() ?? 0) >= seatsPerRoom,
    expect: (key) => findOrMake(key).expect(),
    take: (claims) => findOrMake(claims).take(claims),
    review: (key) => findOrMake(key).review(),
    suspend () {
      for (const room of rooms.values()) room.review()
    },
    resume () {
      for (const room of rooms.values()) {
        if (room.isUnused()) room.giveUp()
        else room.review()
      }
    },
    close: (key, end) => find(key)?.close(end),
    closeAll (end) {
      for (const room of rooms.values()) room.close(end)
    }
  }
}
