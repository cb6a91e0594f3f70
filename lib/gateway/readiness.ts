import type { Answers, BackendStatus } from '../../types/index.js'

export interface ReadinessParts {
  sessions: BackendStatus
  registry: BackendStatus
  isClosing: boolean
  /** Known rooms can be answered without the registry. */
  canRecall: boolean
}

/**
 * Reports which requests can be answered. CC-Provision does not count: its answers are kept for an outage, and all
 * gateways ask the same one.
 */
export function toAnswers ({ sessions, registry, isClosing, canRecall }: ReadinessParts): Answers {
  const isKnown = ({ state }: BackendStatus) => state === 'up' || state === 'degraded'
  // Without the token store no caller can be authenticated, even if the registry is up.
  if (isClosing || !isKnown(sessions)) return 'none'
  if (registry.state === 'up') return 'all'
  return registry.state === 'degraded' || canRecall ? 'known-rooms' : 'none'
}
