import type { SignatureClaims } from '../../types/signature.js'
import type { Seat, SeatEnd } from '../../types/node.js'

/** A seat, and the way to end it. */
export interface TakenSeat {
  readonly seat: Seat
  end (end: SeatEnd): void
}

export function createSeat ({ tenant, room, user, name, role }: SignatureClaims, onLeave: () => void): TakenSeat {
  let isTaken = true
  let sendAway: (end: SeatEnd) => void = () => {}
  const ended = new Promise<SeatEnd>((resolve) => { sendAway = resolve })

  function once (work: () => void): void {
    if (!isTaken) return
    isTaken = false
    work()
  }

  return {
    seat: Object.freeze({ tenant, room, user, name, role, ended, leave: () => once(onLeave) }),
    end: (end) => once(() => sendAway(end))
  }
}
