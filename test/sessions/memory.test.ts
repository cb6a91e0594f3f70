import t from 'tap'
import { memorySessions } from '../../lib/sessions/memory.js'
import { sessionsContract } from '../../lib/testing/index.js'

await sessionsContract({ test: t.test }, () => {
  const sessions = memorySessions()
  return { sessions, issue: sessions.issue, revoke: sessions.revoke }
})

t.test('a session that no token can carry – is rejected', async (t) => {
  const bad = { tenantId: 't', channelId: 'c', userId: 'no spaces' }
  t.throws(() => memorySessions().issue(bad), { message: /each field of a session must be 1 to 64/ })
})
