import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { NoLiveNodeError } from '../../../lib/errors.js'
import { memoryRegistry } from '../../../lib/registry/memory.js'
import { registryContract } from '../../../lib/testing/index.js'
import { testBreakages } from './test-breakages.js'
import type { Assignment, Registry, RoomKey } from '../../../types/index.js'

const ONE_ROOM_AT_ONCE = 'assign – many first requests for one room at once – name one node'
const ENDS = 'assign – a bound room that nothing asks for – is assigned again after its linger'
const STAYS = 'assign – a bound room that is asked for within its linger – stays bound'
const NONE_ACCEPTED = 'accepts – no node is accepted – rejects with NoLiveNodeError'
const NONE_SELECTED = 'selectNode – every candidate is left out – rejects with NoLiveNodeError'

const keyOf = ({ tenant, room }: RoomKey) => JSON.stringify([tenant, room])
const isNoLiveNode = (error: unknown) => error instanceof NoLiveNodeError

/** Answers again what was answered, for as long as `ms` after the store was asked. */
function remembering ({ assign }: Registry, ms: number): Partial<Registry> {
  const known = new Map<string, { answer: Assignment, until: number }>()
  return {
    async assign (room, options) {
      const found = known.get(keyOf(room))
      if (found !== undefined && found.until > performance.now()) return found.answer
      const answer = await assign(room, options)
      known.set(keyOf(room), { answer, until: performance.now() + ms })
      return answer
    }
  }
}

testBreakages<Registry>(t, {
  run: async (options, breakIt) => await registryContract({ ...options, slack: 200 }, ({ linger }) => {
    const registry = memoryRegistry({ linger })
    return { registry: { ...registry, ...breakIt(registry) } }
  }),
  breakages: {
    'chooses for each of several requests at once': {
      breakIt ({ assign }) {
        const asked = new Map<string, number>()
        return {
          async assign (room, options) {
            const key = keyOf(room)
            const before = asked.get(key) ?? 0
            asked.set(key, before + 1)
            await nextTurn()
            const answer = await assign(before === 0 ? room : { ...room, room: `${room.room}-${before}` }, options)
            asked.delete(key)
            return answer
          }
        }
      },
      broken: [ONE_ROOM_AT_ONCE],
      instead: /nodes named for one room: \[ 'n\d', 'n\d'/
    },
    'joins tenant and room by a colon': {
      breakIt ({ join }) {
        const joined = ({ tenant, room }: RoomKey) =>
          `${tenant}${room}`.includes(':') ? { tenant: '', room: `${tenant}:${room}` } : { tenant, room }
        return {
          async join (record) {
            const member = await join(record)
            return { ...member, claim: async (room, options) => await member.claim(joined(room), options) }
          }
        }
      },
      broken: ['assign – a tenant and a room that make the same text as two others – is another room'],
      instead: /joined by ":": 'elsewhere', expected 'ok'/
    },
    'takes any node where none fits': {
      breakIt: ({ assign }) => ({
        assign: async (room, options) => await assign(room, options).catch(async (error: unknown) => {
          if (!isNoLiveNode(error) || options === undefined) throw error
          return await assign(room)
        })
      }),
      broken: [NONE_ACCEPTED, NONE_SELECTED],
      instead: /resolved to .*expected a rejection/
    },
    'moves a room whose node is not accepted': {
      breakIt: ({ assign, nodes }) => ({
        async assign (room, options) {
          const answer = await assign(room, options)
          const view = nodes().find(({ id }) => id === answer.node.id)
          if (view === undefined || (options?.accepts?.(view) ?? true)) return answer
          return await assign({ ...room, room: `${room.room}-moved` }, options)
        }
      }),
      broken: ['accepts – a bound room whose node is not accepted – keeps its node', STAYS],
      instead: /'n\d', expected 'n\d'/
    },
    'does not prolong a binding': {
      breakIt: (registry) => remembering(registry, Number(registry.linger) * 1000),
      broken: [STAYS],
      instead: /nodes in turn: \[ 'n\d', 'n\d' \], expected \[ 'n\d' \]/
    },
    'keeps a binding for ever': {
      breakIt: (registry) => remembering(registry, Infinity),
      broken: [ENDS],
      instead: /'n\d', expected anything but 'n\d'/
    },
    'dates answers in seconds': {
      breakIt: ({ assign }) => ({
        async assign (...args) {
          const answer = await assign(...args)
          return { ...answer, issuedAt: Math.floor(answer.issuedAt / 1000) }
        }
      }),
      broken: ['assign – a new room – is dated by the clock of the store, in whole milliseconds'],
      instead: /"issuedAt" is \d{10}, not in \d{13} to \d{13}/
    },
    'opens no rooms': {
      breakIt: ({ assign }) => ({ assign: async (...args) => ({ ...await assign(...args), joinOnly: true }) }),
      broken: ['assign – the store answers – opens rooms: "joinOnly" is false'],
      instead: /true, expected false/
    },
    'hangs where no node can take the room': {
      patience: 3000,
      breakIt: ({ assign }) => ({
        assign: async (...args) => await assign(...args).catch(async (error: unknown) => {
          if (!isNoLiveNode(error)) throw error
          return await new Promise<never>(() => {})
        })
      }),
      broken: ['assign – no node – rejects with NoLiveNodeError', NONE_ACCEPTED, NONE_SELECTED],
      instead: /no answer within 3000 ms/
    },
    'ignores its signal': {
      breakIt: ({ assign }) => ({
        assign: async (room, { signal, ...options } = {}) => await assign(room, options)
      }),
      broken: ['assign – a signal that has aborted – rejects with its reason']
    },
    'shows every node with one weight': {
      breakIt: ({ nodes }) => ({ nodes: () => nodes().map((node) => ({ ...node, weight: 1 })) }),
      broken: ['nodes – nodes that joined – are shown as they registered'],
      instead: /weight: 1.*expected .*weight: 2/
    },
    'tells a linger that it does not have': {
      breakIt: () => ({ linger: 20 }),
      broken: ['linger – a registry that tells it – tells the seconds that it was made with'],
      instead: /milliseconds: 20000, expected 1000/
    },
    'keeps memberships beyond its close': {
      breakIt: ({ join }) => ({ join: async (record) => ({ ...await join(record), valid: () => true }) }),
      broken: ['close – the last instance closes – ends memberships'],
      instead: /true, expected false/
    }
  }
})
