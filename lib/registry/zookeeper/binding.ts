import { randomBytes } from 'node:crypto'
import { UnreadableBindingError } from '../../common/unavailable.js'

/**
 * State of a binding. `ended` names no node: the call of an unbound room ended. `moving`: an operator moves the room,
 * and its node has not given it up; `moved`: the node has.
 */
export type BindingState = 'assigned' | 'claimed' | 'released' | 'ended' | 'moving' | 'moved'

/** Content of a room. */
export interface Binding {
  /** `<id>|<incarnation>`; `undefined` for none. */
  member: string | undefined
  state: BindingState
  /** Number of the latest claim. Of a room that an operator moves: the moment, in milliseconds. */
  claims: number
  /** Latest end of the call, in milliseconds, or 0. */
  endedAt: number
  /** Of a room that moves: id of the node that is to have it next. Left out: any other node. */
  target?: string | undefined
  /** What happened to the room, as JSON: see `history.ts`. */
  history?: string | undefined
}

const MEMBER = '[\\w.:-]{1,64}\\|[\\w.:-]{1,64}'
const STATE = '(assigned|claimed|released|ended|moving|moved)(?:>([\\w.:-]{1,64}))?'
const FORM = new RegExp(`^(?:(${MEMBER})|\\|)\\|${STATE}\\|(\\d{1,16})\\|(\\d{1,16})\\|[\\w-]+(?:\\|(\\[[^\\n]*\\]))?$`)

export const isMove = ({ state }: Binding): boolean => state === 'moving' || state === 'moved'

/**
 * `id|incarnation|state|claims|endedAt|write|history`; a target follows the state, behind a `>`; the history may be
 * missing. The part before it is random: two texts are equal only if no write came between, even if the room was
 * deleted and created again, which restarts its version.
 */
export function toText ({ member = '|', state, claims, endedAt, target, history }: Binding): string {
  const stateText = target === undefined ? state : `${state}>${target}`
  const text = [member, stateText, claims, endedAt, randomBytes(9).toString('base64url')].join('|')
  return history === undefined ? text : `${text}|${history}`
}

/** @throws UnreadableBindingError */
export function parseBinding (text: string): Binding {
  const [, member, state, target, claims, endedAt, history] = FORM.exec(text) ?? []
  if (state === undefined) throw new UnreadableBindingError()
  // The pattern admits only these states.
  const binding: Binding = { member, state: state as BindingState, claims: Number(claims), endedAt: Number(endedAt) }
  if (target !== undefined) binding.target = target
  if (history !== undefined) binding.history = history
  return binding
}
