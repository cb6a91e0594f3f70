import type { ReplayerNote, RoomMember, RoomMembers } from '../../types/replayer.js'

const MAX_NOTE_CHARACTERS = 500
const CODE = /^[a-z][a-z-]{0,31}$/

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function parse (text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/** @returns nothing if the node told something else */
export function readMembers (text: string): RoomMembers | undefined {
  const { type, you, recorder, members } = parse(text)
  if (type !== 'members' || typeof you !== 'number' || !Array.isArray(members)) return undefined
  return { you, recorder: typeof recorder === 'number' ? recorder : null, members: members.filter(isMember) }
}

function isMember (value: unknown): value is RoomMember {
  return isObject(value) && typeof value.id === 'number' && typeof value.name === 'string' &&
    (value.role === 'recorder' || value.role === 'replayer')
}

/** @returns nothing if the text is no note */
export function readNote (text: string): ReplayerNote | undefined {
  const { code, text: words } = parse(text)
  if (typeof code !== 'string' || !CODE.test(code) || typeof words !== 'string') return undefined
  return { code, text: words.slice(0, MAX_NOTE_CHARACTERS) }
}
