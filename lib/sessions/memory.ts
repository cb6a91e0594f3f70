import { takesDeadline } from '../common/adapter-call.js'
import { createAdapterState } from '../common/adapter-state.js'
import { createTenantCache } from '../common/tenant-cache.js'
import { createKnownTokens } from './known-tokens.js'
import { equalsStored, makeToken, readToken, toUid } from './token.js'
import type { MemorySessions } from '../../types/sessions.js'

const LIFE_MS = 3_600_000
const MAX_TOKENS = 100_000

/** A token store in the memory of one process, for tests and the demo: its tokens are lost with the process. */
export function memorySessions (): MemorySessions {
  const live = createTenantCache<{ token: string, endsAt: number }>(MAX_TOKENS)
  const knownTokens = createKnownTokens()
  const state = createAdapterState({ open: () => state.set('up') })

  return {
    start: state.start,
    status: state.status,
    close: state.close,
    issue (session) {
      const token = makeToken(session, Date.now())
      if (readToken(token) === null) {
        throw new TypeError('each field of a session must be 1 to 64 of A-Z a-z 0-9 . _ : @ -')
      }
      live.set(session.tenantId, toUid(session), { token, endsAt: performance.now() + LIFE_MS })
      return token
    },
    revoke (session) {
      live.delete(session.tenantId, toUid(session))
    },
    find: takesDeadline(async (token: string) => {
      const known = knownTokens.get(token)
      const session = known ?? readToken(token)
      if (session === null) return null
      const held = live.get(session.tenantId, toUid(session))
      if (held === undefined || held.endsAt <= performance.now() || !equalsStored(token, held.token)) return null
      if (known === undefined) knownTokens.add(held.token, session)
      return session
    })
  }
}
