import { AdmissionError } from './admission-error.js'
import { MAX_SIGNATURE_LENGTH } from './offer.js'
import { createUsedSignatures } from './used-signatures.js'
import { withDeadline } from '../common/deadline.js'
import type { Clock } from '../common/clock.js'
import type { Rooms } from './rooms.js'
import type { AdmitOptions, Seat } from '../../types/node.js'
import type { ClaimResult, Membership } from '../../types/registry.js'
import type { SignatureClaims } from '../../types/signature.js'

const CLAIM_MS = 1000
const MAX_CLAIMS = 3

/** @throws if anything is wrong with the signature */
export type Verify = (
  signature: string, at: { node: { id: string, incarnation: string }, now: number }
) => Promise<SignatureClaims>

export interface AdmissionParts {
  clock: Clock
  verify: Verify
  /** @throws `AdmissionError` if the node admits no clients */
  membership (): Membership
  rooms: Rooms
  /** Time of this process's first registration, by the store's clock, in milliseconds. */
  startedAt: number
  /** Seconds for which a signature stays valid after its end. */
  skew: number
  allowedOrigins: readonly string[] | undefined
  /** Called with the result of each claim, `failed` if the registry could not be asked. */
  onClaimed (result: ClaimResult | 'failed'): void
}

/** Decides which clients are admitted. Nothing is awaited between the registry's last answer and the seat. */
export function createAdmission (parts: AdmissionParts) {
  const { clock, verify, membership, rooms, startedAt, skew, allowedOrigins, onClaimed } = parts
  const used = createUsedSignatures()
  const firstIncarnation = membership().incarnation

  function checkOrigin (origin: string | undefined): void {
    // Only browsers send the header, and no page can leave it out.
    if (origin === undefined || allowedOrigins === undefined || allowedOrigins.includes(origin)) return
    throw new AdmissionError(4403, new Error('see option "allowedOrigins"'))
  }

  async function check (signature: string): Promise<SignatureClaims> {
    if (signature.length > MAX_SIGNATURE_LENGTH) throw new AdmissionError(4401, new Error('too long'))
    const { id, incarnation } = membership()
    const now = membership().now()
    try {
      return await verify(signature, { node: { id, incarnation }, now })
    } catch (cause) {
      throw new AdmissionError(4401, cause)
    }
  }

  function checkSpace (claims: SignatureClaims): void {
    if (rooms.isFull(claims)) throw new AdmissionError(4429)
  }

  async function claim (claims: SignatureClaims, ms: number): Promise<ClaimResult> {
    const { tenant, room, issuedAt } = claims
    try {
      const result = await withDeadline({ clock, ms, onLate: () => rooms.review(claims) }, async ({ signal }) =>
        await membership().claim({ tenant, room }, { issuedAt, signal }))
      onClaimed(result)
      return result
    } catch (cause) {
      if (cause instanceof AdmissionError) throw cause
      onClaimed('failed')
      throw new AdmissionError(4503, cause)
    }
  }

  async function enter (claims: SignatureClaims): Promise<Seat> {
    // A client that is rejected anyway must not cost a call of the registry.
    checkSpace(claims)
    if (used.isUsed(claims.id, claims.expiresAt + skew)) throw new AdmissionError(4408)
    const { tenant, room } = claims
    const endsAt = clock.monotonic() + CLAIM_MS
    const arrive = rooms.expect(claims)
    try {
      for (let claimed = 0; claimed < MAX_CLAIMS; claimed++) {
        const result = await claim(claims, endsAt - clock.monotonic())
        if (result !== 'ok') throw new AdmissionError(4410, new Error(`another node holds the room: ${result}`))
        if (membership().holds({ tenant, room })) return take(claims)
      }
      throw new AdmissionError(4410, new Error('the room was lost right after it was claimed'))
    } finally {
      arrive()
    }
  }

  /** A process does not know which signatures its predecessor admitted, and a join-only one names neither of them. */
  function isFromEarlierProcess ({ issuedAt, knownIncarnation }: SignatureClaims): boolean {
    const [from, until] = [issuedAt * 1000, (issuedAt + 1) * 1000]
    // The store's clock does not tell the order within a second, and a gateway without it may be ahead by the skew.
    switch (knownIncarnation) {
      case firstIncarnation:
      case membership().incarnation:
        return until <= startedAt
      case undefined:
        return from < startedAt
      default:
        return from < startedAt + skew * 1000
    }
  }

  function rejoin (claims: SignatureClaims): Seat {
    if (isFromEarlierProcess(claims)) throw new AdmissionError(4410, new Error('join-only, from before this process'))
    if (!rooms.isOpen(claims)) throw new AdmissionError(4410, new Error('join-only, and the room is not open'))
    return take(claims)
  }

  function take (claims: SignatureClaims): Seat {
    const { tenant, room, id, incarnation, issuedAt, expiresAt } = claims
    const present = membership()
    const now = present.now() / 1000
    const endedAt = present.endedAt({ tenant, room })
    if (incarnation !== null && incarnation !== present.incarnation) {
      throw new AdmissionError(4410, new Error('the lease ended while the signature was checked'))
    }
    if (now >= expiresAt + skew) throw new AdmissionError(4401, new Error('expired while it was checked'))
    if (endedAt !== undefined && issuedAt * 1000 <= endedAt) {
      throw new AdmissionError(4410, new Error('the call ended after the signature was issued'))
    }
    checkSpace(claims)
    if (!used.use(id, expiresAt + skew, now)) throw new AdmissionError(4408)
    return rooms.take(claims)
  }

  return async function admit (signature: string, { origin }: AdmitOptions = {}): Promise<Seat> {
    membership()
    checkOrigin(origin)
    const claims = await check(signature)
    return claims.joinOnly ? rejoin(claims) : await enter(claims)
  }
}
