import type { Session } from '../types/index.js'

/** Whether a session is an agent's. */
export type IsAgent = (session: Session) => boolean

/**
 * Reads a list such as `agent-*, u7, channel:desk`: user ids, or channels after `channel:`. A `*` stands for any
 * characters, and may occur once per entry, so that a comparison takes no longer than the id is long.
 *
 * @throws Error that names the entry and the rule
 */
export function readAgents (list: string): IsAgent {
  const entries = list.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '')
  if (entries.length === 0) throw new Error('AGENTS must name at least one user id or channel')
  const matchers = entries.map(readEntry)
  return (session) => matchers.some((matches) => matches(session))
}

function readEntry (entry: string): IsAgent {
  const prefix = ['user:', 'channel:'].find((name) => entry.startsWith(name)) ?? ''
  const pattern = entry.slice(prefix.length)
  const [start = '', end, ...others] = pattern.split('*')
  if (!/^[\w.:@*-]+$/.test(pattern) || others.length > 0) {
    throw new Error(`AGENTS: "${entry}" must be a user id, or channel: and a channel id, ` +
      'of A-Z a-z 0-9 . _ : @ - and with one * at most')
  }
  const field = prefix === 'channel:' ? 'channelId' : 'userId'
  return ({ [field]: id }) => end === undefined
    ? id === start
    : id.length >= start.length + end.length && id.startsWith(start) && id.endsWith(end)
}
