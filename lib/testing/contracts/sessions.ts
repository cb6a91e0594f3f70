import assert from 'node:assert/strict'
import { makeToken } from '../../sessions/token.js'
import { closeAdapter, STARTS_AND_CLOSES } from './adapter.js'
import { createContext } from './log.js'
import { readOptions } from './options.js'
import { createPace, elapse } from './pace.js'
import { registerSentences } from './sentences.js'
import type { ContractOptions, MakeSessions, SessionsUnderTest } from '../../../types/contracts.js'
import type { Session } from '../../../types/sessions.js'
import type { Pace } from './pace.js'
import type { Sentences } from './sentences.js'

interface SessionsFixture extends SessionsUnderTest, Pace {
  find (token: string): Promise<Session | null>
}

const SESSION: Session = { tenantId: 't1', channelId: 'web', userId: 'u1' }

const FINDING: Sentences<SessionsFixture> = {
  'find – a live token – resolves to its session': async ({ find, issue }) => {
    assert.deepEqual(await find(await issue(SESSION)), SESSION)
  },

  'find – a token that was never issued – resolves to null': async ({ find }) => {
    assert.equal(await find(makeToken(SESSION, 1)), null)
  },

  'find – a text that is no token – resolves to null': async ({ find }) => {
    for (const text of ['garbage', '', '%', '{}']) assert.equal(await find(text), null, JSON.stringify(text))
  },

  'find – a revoked token – resolves to null': async ({ find, issue, revoke }) => {
    const token = await issue(SESSION)
    await find(token)
    await revoke(SESSION)
    assert.equal(await find(token), null)
  },

  'find – a token whose user has a newer one – resolves to null': async (fixture) => {
    const [old] = await issueTwo(fixture)
    assert.equal(await fixture.find(old), null)
  },

  'find – the newer token of a user – resolves to its session': async (fixture) => {
    const [, present] = await issueTwo(fixture)
    assert.deepEqual(await fixture.find(present), SESSION)
  },

  'find – the token of another user whose ids make the same text – resolves to null': async ({ find, issue }) => {
    await issue({ tenantId: 't1', channelId: 'ab', userId: 'c' })
    assert.equal(await find(makeToken({ tenantId: 't1', channelId: 'a', userId: 'bc' }, 1)), null)
  },

  'find – a token that differs from the live one by its encoding – resolves to null': async ({ find, issue }) => {
    const token = await issue(SESSION)
    const others = [token.replaceAll('%3D', '%3d'), decodeURIComponent(token), `${token} `, `"${token}"`]
    for (const other of others) if (other !== token) assert.equal(await find(other), null, other)
  }
}

/** Runs every sentence of `Sessions` in a runner. */
export async function sessionsContract (options: ContractOptions, make: MakeSessions): Promise<void> {
  const { test, patience } = readOptions('sessionsContract', options)
  const pace = createPace(patience)

  async function prepare () {
    const made = await make()
    const { sessions } = made
    const find = async (token: string) =>
      await pace.patiently(async () => await sessions.find(token, AbortSignal.timeout(patience)))
    return {
      fixture: { ...pace, ...made, find, adapter: sessions, use: async () => await find(makeToken(SESSION, 1)) },
      async close () {
        await pace.inTime(async () => await closeAdapter(sessions))
        await made.close?.()
      }
    }
  }
  async function prepareStarted () {
    const prepared = await prepare()
    prepared.fixture.sessions.start(createContext())
    return prepared
  }
  await Promise.all([
    registerSentences(test, FINDING, prepareStarted), registerSentences(test, STARTS_AND_CLOSES, prepare)
  ])
}

async function issueTwo ({ issue, find }: SessionsFixture): Promise<[old: string, present: string]> {
  const old = await issue(SESSION)
  await find(old)
  // Tokens of the same millisecond may be equal.
  await elapse(2)
  return [old, await issue(SESSION)]
}
