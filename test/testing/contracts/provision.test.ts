import t from 'tap'
import { staticProvision } from '../../../lib/provision/static.js'
import { provisionContract } from '../../../lib/testing/index.js'
import { testBreakages } from './test-breakages.js'
import type { Provision } from '../../../types/index.js'

const ASKING = [
  'externalUrl – a node – resolves to an address that browsers can open, or to null',
  'externalUrl – several nodes at once – resolves to an address for each',
  'externalUrl – another caller has gone – resolves to an address'
]
const REOPENED = 'start – after the last close – opens the adapter again'

testBreakages<Provision>(t, {
  run: async (options, breakIt) => await provisionContract(options, () => {
    const provision = { ...staticProvision('entry.example'), prefetch () {} }
    return { provision: { ...provision, ...breakIt(provision) } }
  }),
  breakages: {
    'answers with another kind of address': {
      breakIt: () => ({ externalUrl: async () => 'https://entry.example/ws' }),
      broken: [...ASKING, REOPENED],
      instead: /'https:\/\/entry\.example\/ws': 'must begin with wss:\/\/', expected undefined/
    },
    'confuses callers that ask at once': {
      breakIt ({ externalUrl }) {
        let asking = 0
        return {
          async externalUrl (...args) {
            asking++
            const answer = await externalUrl(...args)
            await new Promise(setImmediate)
            return asking-- > 2 ? 'not an address' : answer
          }
        }
      },
      broken: ['externalUrl – several nodes at once – resolves to an address for each']
    },
    'hangs once the signal has aborted': {
      patience: 1500,
      breakIt: ({ externalUrl }) => ({
        externalUrl: async (node, session, signal) =>
          signal.aborted ? await new Promise(() => {}) : await externalUrl(node, session, signal)
      }),
      broken: ['externalUrl – a signal that has aborted – settles in time'],
      instead: /no answer within 1500 ms/
    },
    'lets all callers depend on the signal of the first': {
      patience: 1500,
      breakIt ({ externalUrl }) {
        let first: AbortSignal | undefined
        return {
          async externalUrl (node, session, signal) {
            first ??= signal
            first.throwIfAborted()
            return await externalUrl(node, session, signal)
          }
        }
      },
      broken: ['externalUrl – another caller has gone – resolves to an address'],
      instead: /Error: gone/
    },
    'makes callers of prefetch wait': {
      // A program without types may return anything.
      breakIt: () => ({ prefetch: async () => {} }),
      broken: ['prefetch – an open adapter – returns at once', 'prefetch – a closed adapter – returns at once'],
      instead: /Promise/
    },
    'opens once only': {
      breakIt ({ start, status, close }) {
        let isOver = false
        return {
          start (context) { if (!isOver) start(context) },
          status,
          async close (context) {
            await close(context)
            isOver = status().state === 'closed'
          }
        }
      },
      broken: [REOPENED],
      instead: /'closed', expected 'up'/
    }
  }
})
