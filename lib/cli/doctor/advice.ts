import { CobrowseError } from '../../client/cobrowse-error.js'
import type { End } from '../../testing/conformance/client.js'

/** What to do about an answer of a gateway, by its code. */
const OF_ANSWERS: Record<string, string> = {
  40001: '--user must be an id of a user',
  40101: 'give the token of the user: --token, or COBROWSE_TOKEN',
  40102: 'is the token the latest one of this user, as it was sent, and does the gateway read its token store?',
  40301: 'is --user the user of the token, and may this user share?',
  40302: 'give the URL of the gateway itself',
  50301: 'see CobrowseNoLiveNode in docs/runbook.md',
  50302: 'see CobrowseRegistryDown in docs/runbook.md',
  50303: 'wait for half a minute; see CobrowseRegistrySettling in docs/runbook.md',
  50304: 'see CobrowseProvisionDown in docs/runbook.md',
  50305: 'see CobrowseTokenStoreDown in docs/runbook.md',
  50308: 'see CobrowseNodesFull in docs/runbook.md',
  unreachable: 'does the gateway run, and is --gateway its URL as clients use it?',
  'bad-answer': 'is --gateway the URL of a gateway, without the path of the route?'
}

/** What to do about the end of a WebSocket, by its close code. */
const OF_ENDS: Record<number, string> = {
  4401: 'do gateway and node have the same signing keys, and are their clocks right?',
  4403: 'does an authorization of the node refuse this user?',
  4408: 'the node did not get its answer in time: does it reach its store?',
  4410: 'the room moved meanwhile: run doctor again',
  4429: 'the node has too many clients: see CobrowseNodesFull in docs/runbook.md',
  4503: 'the node lost its store: see CobrowseNodeLapsed in docs/runbook.md'
}

export function adviseOnAnswer (error: unknown): string {
  const code = error instanceof CobrowseError ? error.code : ''
  return OF_ANSWERS[code] ?? 'see "Answers that begin with 5" in docs/runbook.md, and the log of the gateway'
}

export function adviseOnEnd ({ code, status }: End = { text: '' }): string {
  const closeCode = code ?? (status === undefined ? 0 : status + 4000)
  return OF_ENDS[closeCode] ?? 'is the address right for this machine, and does the load balancer pass WebSockets?'
}

/** An error of a gateway in words: its code, its message, and the code of the system. */
export function describe (error: unknown): string {
  if (!(error instanceof CobrowseError)) return error instanceof Error ? error.name : 'it failed'
  const cause = systemCodeOf(error)
  return `${error.message} (${[error.code, ...cause === undefined ? [] : [cause]].join(', ')})`
}

function systemCodeOf (error: Error): string | undefined {
  for (let at: unknown = error.cause; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return undefined
}
