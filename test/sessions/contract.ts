import { makeToken } from '../../lib/sessions/token.js'
import { elapse } from '../support/elapse.js'
import { silentLog } from '../support/silent-log.js'
import { eventually } from '../support/until.js'
import type { Test } from 'tap'
import type { Session, Sessions } from '../../types/index.js'

export interface SessionsUnderTest {
  sessions: Sessions
  /** Makes the one live token of a user. */
  issue (session: Session): Promise<string>
  revoke (session: Session): Promise<void>
}

const session = { tenantId: 't1', channelId: 'web', userId: 'u1' }
const signal = AbortSignal.timeout(60_000)

/** Every sentence of `Sessions` in types/sessions.ts. */
export function sessionsContract (t: Test, make: (t: Test) => Promise<SessionsUnderTest>): void {
  t.test('a live token gives its session', async (t) => {
    const { sessions, issue } = await make(t)
    t.strictSame(await sessions.find(await issue(session), signal), session)
  })

  t.test('a token that was never issued is not valid', async (t) => {
    const { sessions } = await make(t)
    t.equal(await sessions.find(makeToken(session, 1), signal), null)
    t.equal(await sessions.find('garbage', signal), null)
  })

  t.test('a revoked token is not valid', async (t) => {
    const { sessions, issue, revoke } = await make(t)
    const token = await issue(session)
    await revoke(session)
    t.equal(await sessions.find(token, signal), null)
  })

  t.test('a token that was replaced by a newer one is not valid', async (t) => {
    const { sessions, issue } = await make(t)
    const old = await issue(session)
    await elapse(2, 'the newer one is of a later millisecond')
    const present = await issue(session)
    t.equal(await sessions.find(old, signal), null)
    t.strictSame(await sessions.find(present, signal), session)
  })

  t.test('a token of another user with the same concatenation is not valid', async (t) => {
    const { sessions, issue } = await make(t)
    await issue({ tenantId: 't1', channelId: 'ab', userId: 'c' })
    t.equal(await sessions.find(makeToken({ tenantId: 't1', channelId: 'a', userId: 'bc' }, 1), signal), null)
  })

  t.test('equality is byte by byte: another case of a percent-encoding is another token', async (t) => {
    const { sessions, issue } = await make(t)
    const token = await issue(session)
    t.match(token, /%3D/)
    t.equal(await sessions.find(token.replaceAll('%3D', '%3d'), signal), null)
    t.equal(await sessions.find(decodeURIComponent(token), signal), null)
    t.equal(await sessions.find(`${token} `, signal), null)
  })

  t.test('the adapter reports up once started, and closed at the last of its closes', async (t) => {
    const { sessions } = await make(t)
    const states: string[] = []
    const context = { log: silentLog, onState: ({ state }: { state: string }) => states.push(state) }
    sessions.start(context)
    sessions.start(context)
    await eventually(() => sessions.status().state, 'up')
    await sessions.close()
    t.equal(sessions.status().state, 'up', 'another instance still uses it')
    await sessions.close()
    t.equal(sessions.status().state, 'closed')
    await t.resolves(sessions.close(), 'closing again does nothing')
    t.ok(states.includes('up'))
  })
}
