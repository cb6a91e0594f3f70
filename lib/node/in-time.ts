import { withDeadline } from '../common/deadline.js'
import type { Clock } from '../common/clock.js'
import type { Membership } from '../../types/registry.js'

const JOIN_MS = 10_000
const LEAVE_MS = 1000

/** @throws the error of `join`, or one if it took too long: a membership that arrives later leaves at once */
export async function joinInTime (clock: Clock, join: () => Promise<Membership>): Promise<Membership> {
  const onLate = (late: Membership) => quietly(async () => await late.leave())
  return await withDeadline({ clock, ms: JOIN_MS, onLate }, join)
}

/**
 * Waits for the registry as long as clients can wait; a registration that cannot be withdrawn expires with its lease.
 */
export async function inTime (clock: Clock, work: () => Promise<unknown>): Promise<void> {
  await withDeadline({ clock, ms: LEAVE_MS }, work).catch(() => {})
}

/** For work that the registry completes without us, sooner or later. */
export function quietly (work: () => Promise<unknown>): void {
  (async () => await work())().catch(() => {})
}
