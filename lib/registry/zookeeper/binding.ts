import { randomBytes } from 'node:crypto'
import { UnreadableBindingError } from '../../common/unavailable.js'

/** `ended` names no node: the call of a room ended that was not bound. */
export type BindingState = 'assigned' | 'claimed' | 'released' | 'ended'

/** What stands in a room. */
export interface Binding {
  /** `<id>|<incarnation>`; `undefined` for none. */
  member: string | undefined
  state: BindingState
  /** Number of the latest claim. */
  claims: number
  /** When the call ended last, in milliseconds, or 0. */
  endedAt: number
}

const FORM =
  /^(?:([\w.:-]{1,64}\|[\w.:-]{1,64})|\|)\|(assigned|claimed|released|ended)\|(\d{1,16})\|(\d{1,16})\|[\w-]+$/

/**
 * `id|incarnation|state|claims|endedAt|write`. The last is random: two texts are alike only when nobody wrote in
 * between, also where the room was deleted and made anew, which starts its version again.
 */
export function toText ({ member = '|', state, claims, endedAt }: Binding): string {
  return [member, state, claims, endedAt, randomBytes(9).toString('base64url')].join('|')
}

/** @throws UnreadableBindingError */
export function parseBinding (text: string): Binding {
  const [, member, state, claims, endedAt] = FORM.exec(text) ?? []
  if (state === undefined) throw new UnreadableBindingError()
  // The form says so.
  return { member, state: state as BindingState, claims: Number(claims), endedAt: Number(endedAt) }
}
