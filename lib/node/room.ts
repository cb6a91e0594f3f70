import { createTimer } from './timer.js'
import { createSeat } from './seat.js'
import type { Clock } from '../common/clock.js'
import type { TakenSeat } from './seat.js'
import type { Seat, SeatEnd } from '../../types/node.js'
import type { RoomKey } from '../../types/registry.js'
import type { SignatureClaims } from '../../types/signature.js'

const ALONE: SeatEnd = { code: 4410, reason: 'the other side may be elsewhere: ask again' }
const SUSPENDED: SeatEnd = { code: 4410, reason: 'the registry was out of reach for too long: ask again' }

/** Whether the registry says that a room is this node's. */
export interface Doors {
  areOpen (room: RoomKey): boolean
  /** The room is no longer needed here. */
  giveUp (room: RoomKey): void
}

export interface RoomOptions {
  clock: Clock
  doors: Doors
  /** Milliseconds. */
  patience: number
  /** Milliseconds. */
  suspendFor: number
  /** Counts of all rooms together. */
  tally: { seats: number, expected: number }
  onOpened (room: RoomKey): void
  onClosed (room: RoomKey): void
  /** Called last in every change. */
  onChange (room: Room): void
}

/** A room that lost its claim stays open behind a shut door: clients that are together stay together. */
export interface Room {
  readonly key: RoomKey
  /** A client has entered, and the room was not closed since. */
  isOpen (): boolean
  /** No client is inside or about to enter. */
  isUnused (): boolean
  seats (): number
  /** A client is about to enter: the claim is kept until the result is called, once. */
  expect (): () => void
  take (claims: SignatureClaims): Seat
  /** Checks whether the door is open. */
  review (): void
  giveUp (): void
  close (end: SeatEnd): void
}

export function createRoom (key: RoomKey, options: RoomOptions): Room {
  const { clock, doors, patience: patienceMs, suspendFor, tally, onOpened, onClosed, onChange } = options
  const seats = new Set<TakenSeat>()
  let isOpen = false
  let expected = 0

  const patience = createTimer(clock, patienceMs, () => unlessDoorIsOpen(() => {
    sendAway(ALONE)
    review()
  }))
  const suspension = createTimer(clock, suspendFor, () => unlessDoorIsOpen(() => {
    close(SUSPENDED)
    doors.giveUp(key)
  }))

  const isUnused = () => seats.size === 0 && expected === 0

  // A door that stayed shut when the registry came back opens without an event.
  function unlessDoorIsOpen (work: () => void): void {
    if (doors.areOpen(key)) review()
    else work()
  }

  function review (): void {
    if (doors.areOpen(key)) {
      stopAlarms()
      if (isUnused()) return giveUp()
    } else if (isOpen) {
      suspension.start()
      if (seats.size > 0 && !isTogether(seats)) patience.start()
      else patience.stop()
    }
    onChange(room)
  }

  function stopAlarms (): void {
    patience.stop()
    suspension.stop()
  }

  function giveUp (): void {
    shut()
    doors.giveUp(key)
    onChange(room)
  }

  function shut (): void {
    isOpen = false
    stopAlarms()
  }

  function close (end: SeatEnd): void {
    shut()
    sendAway(end)
    onChange(room)
  }

  function sendAway (end: SeatEnd): void {
    const leaving = [...seats]
    if (leaving.length === 0) return
    seats.clear()
    tally.seats -= leaving.length
    for (const seat of leaving) seat.end(end)
    onClosed(key)
  }

  function vacate (seat: TakenSeat): void {
    seats.delete(seat)
    tally.seats--
    if (seats.size === 0) onClosed(key)
    review()
  }

  const room: Room = {
    key,
    isOpen: () => isOpen,
    isUnused,
    seats: () => seats.size,
    expect () {
      expected++
      tally.expected++
      return () => {
        expected--
        tally.expected--
        review()
      }
    },
    take (claims) {
      const seat: TakenSeat = createSeat(claims, () => vacate(seat))
      seats.add(seat)
      tally.seats++
      isOpen = true
      if (seats.size === 1) onOpened(key)
      review()
      return seat.seat
    },
    review,
    giveUp,
    close
  }
  return room
}

function isTogether (seats: ReadonlySet<TakenSeat>): boolean {
  const roles = new Set([...seats].map(({ seat }) => seat.role))
  return roles.has('recorder') && roles.has('replayer')
}
