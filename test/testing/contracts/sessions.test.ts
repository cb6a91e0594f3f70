import t from 'tap'
import { memorySessions } from '../../../lib/sessions/memory.js'
import { readToken } from '../../../lib/sessions/token.js'
import { sessionsContract } from '../../../lib/testing/index.js'
import { testBreakages } from './test-breakages.js'
import type { MemorySessions, Session } from '../../../types/index.js'

testBreakages<MemorySessions>(t, {
  run: async (options, breakIt) => await sessionsContract(options, () => {
    const sessions = memorySessions()
    return { sessions: { ...sessions, ...breakIt(sessions) }, issue: sessions.issue, revoke: sessions.revoke }
  }),
  breakages: {
    'trims the token': {
      breakIt: ({ find }) => ({ find: async (token, signal) => await find(token.trim(), signal) }),
      broken: ['find – a token that differs from the live one by its encoding – resolves to null'],
      instead: /t1.*expected null/
    },
    'decodes the token': {
      patience: 1500,
      breakIt: ({ find }) => ({
        find: async (token, signal) => await find(encodeURIComponent(decodeURIComponent(token)), signal)
      }),
      broken: [
        'find – a text that is no token – resolves to null',
        'find – a token that differs from the live one by its encoding – resolves to null'
      ]
    },
    'caches sessions that it found': {
      breakIt ({ find }) {
        const found = new Map<string, Session | null>()
        return {
          async find (token, signal) {
            const session = found.get(token) ?? await find(token, signal)
            found.set(token, session)
            return session
          }
        }
      },
      broken: [
        'find – a revoked token – resolves to null',
        'find – a token whose user has a newer one – resolves to null'
      ]
    },
    'believes every token': {
      breakIt: () => ({ find: async (token) => readToken(token) }),
      broken: [
        'find – a token that was never issued – resolves to null',
        'find – a revoked token – resolves to null',
        'find – a token whose user has a newer one – resolves to null',
        'find – the token of another user whose ids make the same text – resolves to null',
        'find – a token that differs from the live one by its encoding – resolves to null'
      ]
    },
    'swaps two ids': {
      breakIt: ({ find }) => ({
        async find (token, signal) {
          const session = await find(token, signal)
          return session && { ...session, channelId: session.userId, userId: session.channelId }
        }
      }),
      broken: [
        'find – a live token – resolves to its session',
        'find – the newer token of a user – resolves to its session'
      ],
      instead: /channelId: 'u1'.*expected .*channelId: 'web'/
    },
    'throws for a text that is no token': {
      patience: 1500,
      breakIt: ({ find }) => ({
        async find (token, signal) {
          if (readToken(token) === null) throw new Error('malformed')
          return await find(token, signal)
        }
      }),
      broken: [
        'find – a text that is no token – resolves to null',
        'find – a token that differs from the live one by its encoding – resolves to null'
      ],
      instead: /Error: malformed/,
    },
    'closes with the first instance': {
      breakIt (sessions) {
        return { close: async () => { for (let count = 0; count < 3; count++) await sessions.close() } }
      },
      broken: ['close – another instance still uses the adapter – keeps it open'],
      instead: /'closed', expected 'up'/
    },
    'does not report its states': {
      breakIt: ({ start }) => ({
        start (context) {
          context.onState = () => {}
          start(context)
        }
      }),
      broken: [
        'start – the backend answers – reports "up"',
        'close – the last instance closes – reports "closed"'
      ]
    }
  }
})
