import { ok, warning } from '../finding.js'
import type { Finding } from '../finding.js'

/** Milliseconds that gateways and nodes ask for by default. */
export const SESSION_MS = 6000

export function judgeSession (granted: number): Finding {
  if (granted === SESSION_MS) return ok('session', `${granted} ms are granted, as asked for`)
  const [name, effect] = granted > SESSION_MS ? ['minSessionTimeout', 'later'] : ['maxSessionTimeout', 'earlier']
  return warning('session', `${granted} ms are granted in place of ${SESSION_MS}: nodes count as dead ${effect}`,
    `change "${name}" of the servers, or expect it: see "The session" in docs/adapters.md`)
}
