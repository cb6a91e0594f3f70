/** What `doctor` checks. docs/command.md describes each. */
export const SUBJECTS = [
  'store', 'role', 'rights', 'eviction', 'persistence', 'replicas', 'ensemble', 'session', 'clock', 'clocks of nodes',
  'epoch', 'times', 'nodes', 'addresses', 'orders', 'signing key', 'provision', 'token', 'ask', 'open', 'admit', 'end'
] as const
export type Subject = typeof SUBJECTS[number]

/** Result of one check, in one line. */
export interface Finding {
  outcome: 'ok' | 'warning' | 'fault' | 'not checked'
  subject: Subject
  text: string
  /** What to do about it. */
  fix?: string
}

export const ok = (subject: Subject, text: string): Finding => ({ outcome: 'ok', subject, text })
export const notChecked = (subject: Subject, text: string): Finding => ({ outcome: 'not checked', subject, text })
export const warning = (subject: Subject, text: string, fix: string): Finding =>
  ({ outcome: 'warning', subject, text, fix })
export const fault = (subject: Subject, text: string, fix: string): Finding =>
  ({ outcome: 'fault', subject, text, fix })
