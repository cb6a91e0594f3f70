import { randomBytes } from 'node:crypto'
import { UnreadableBindingError } from '../../common/unavailable.js'

/** State of a binding. `ended` names no node: the call of an unbound room ended. */
export type BindingState = 'assigned' | 'claimed' | 'released' | 'ended'

/** Content of a room. */
export interface Binding {
  /** `<id>|<incarnation>`; `undefined` for none. */
  member: string | undefined
  state: BindingState
  /** Number of the latest claim. */
  claims: number
  /** Latest end of the call, in milliseconds, or 0. */
  endedAt: number
}

const FORM =
  /^(?:([\w.:-]{1,64}\|[\w.:-]{1,64})|\|)\|(assigned|claimed|released|ended)\|(\d{1,16})\|(\d{1,16})\|[\w-]+$/

/**
 * `id|incarnation|state|claims|endedAt|write`. The last part is random: two texts are equal only if no write came
 * between, even if the room was deleted and created again, which restarts its version.
 */
export function toText ({ member = '|', state, claims, endedAt }: Binding): string {
  return [member, state, claims, endedAt, randomBytes(9).toString('base64url')].join('|')
}

/** @throws UnreadableBindingError */
export function parseBinding (text: string): Binding {
  const [, member, state, claims, endedAt] = FORM.exec(text) ?? []
  if (state === undefined) throw new UnreadableBindingError()
  // The pattern admits only these states.
  return { member, state: state as BindingState, claims: Number(claims), endedAt: Number(endedAt) }
}
