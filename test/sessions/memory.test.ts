import t from 'tap'
import { memorySessions } from '../../lib/sessions/memory.js'
import { sessionsContract } from './contract.js'

sessionsContract(t, async () => {
  const sessions = memorySessions()
  return {
    sessions,
    issue: async (session) => sessions.issue(session),
    revoke: async (session) => sessions.revoke(session)
  }
})

t.test('a session that no token can carry – is rejected', async (t) => {
  const bad = { tenantId: 't', channelId: 'c', userId: 'no spaces' }
  t.throws(() => memorySessions().issue(bad), { message: /each field of a session must be 1 to 64/ })
})
