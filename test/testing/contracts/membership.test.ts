import t from 'tap'
import { memoryRegistry } from '../../../lib/registry/memory.js'
import { membershipContract } from '../../../lib/testing/index.js'
import { testBreakages } from './test-breakages.js'
import type { ClaimResult, Membership, Registry } from '../../../types/index.js'

const BEFORE_THE_END = [
  'end – a signature from before – does not open the room',
  'end – an assigned room that its node has not claimed – signatures from before do not open it'
]
const LATER = 'end – a later signature – opens the room, and one from before does not'
const TOLD_ONCE = 'replaced – another registration of the id – is told once, and the first never resumes'
const TAKES_NOTHING = 'replaced – the first registration leaves – takes nothing from the second'

/** Puts methods in place of those of each membership. */
const onMembers = (change: (member: Membership) => Partial<Membership>) => ({ join }: Registry): Partial<Registry> => ({
  async join (record) {
    const member = await join(record)
    return { ...member, ...change(member) }
  }
})
const answering = (wrong: ClaimResult, instead: ClaimResult) => onMembers(({ claim }) => ({
  async claim (...args) {
    const result = await claim(...args)
    return result === wrong ? instead : result
  }
}))

testBreakages<Registry>(t, {
  run: async (options, breakIt) => await membershipContract({ ...options, slack: 200 }, ({ linger }) => {
    const registry = memoryRegistry({ linger })
    return { registry: { ...registry, ...breakIt(registry) } }
  }),
  breakages: {
    'claims rooms of other nodes': {
      breakIt: answering('elsewhere', 'ok'),
      broken: [
        'claim – a room that is assigned to another live node – is "elsewhere"',
        'claim – a room that another live node claimed – is "elsewhere"',
        'release – the last client left – the binding lingers'
      ],
      instead: /'ok', expected 'elsewhere'/
    },
    'claims rooms without a lease': {
      breakIt: answering('lapsed', 'ok'),
      broken: [
        'leave – the membership – is not valid, holds nothing and claims nothing',
        'replaced – the first registration – is not valid, holds nothing and claims nothing'
      ],
      instead: /claim: 'ok', expected 'lapsed'/
    },
    'opens a room by signatures from before its end': {
      breakIt: onMembers(({ claim }) => ({
        claim: async (room, { signal } = {}) => await claim(room, { signal })
      })),
      broken: [...BEFORE_THE_END, LATER],
      instead: /'ok', expected 'ended'/
    },
    'closes a room for ever when its call ended': {
      breakIt: onMembers(({ claim, endedAt }) => ({
        claim: async (room, options) => endedAt(room) === undefined ? await claim(room, options) : 'ended'
      })),
      broken: [LATER],
      instead: /'ended', expected 'ok'/
    },
    'releases rooms of other nodes': {
      breakIt ({ join }) {
        const members: Membership[] = []
        return {
          async join (record) {
            const member = await join(record)
            members.push(member)
            return { ...member, release: async (room) => { for (const each of members) await each.release(room) } }
          }
        }
      },
      broken: [
        'release – a room of another node – changes nothing',
        'release – a room of another node – does not end its binding'
      ],
      instead: /false, expected true/
    },
    'forgets to release': {
      breakIt: onMembers(() => ({ release: async () => {} })),
      broken: [
        'holds – a claimed room – is true until it is released',
        'release – a room that nothing asks for – ends after its linger'
      ],
      instead: /after the release: true, expected false/
    },
    'tells twice that it was replaced': {
      breakIt: onMembers((member) => ({
        on (event, listener) {
          if (event === 'replaced') member.on(event, listener)
          return member.on(event, listener)
        }
      })),
      broken: [TOLD_ONCE],
      instead: /\[ 'replaced', 'replaced' \], expected \[ 'replaced' \]/
    },
    'withdraws the id when a displaced registration leaves': {
      breakIt ({ join }) {
        const present = new Map<string, Membership>()
        return {
          async join (record) {
            const member = await join(record)
            present.set(record.id, member)
            return { ...member, leave: async () => await present.get(record.id)?.leave() }
          }
        }
      },
      broken: [TAKES_NOTHING],
      instead: /valid: false, expected true/
    },
    'drains for good': {
      patience: 3000,
      breakIt: onMembers(() => ({ undrain: async () => {} })),
      broken: ['undrain – a draining node – gets new rooms again'],
      instead: /after waiting 3000 ms until "nodes" shows that only the other drains/
    },
    'registers under one incarnation for ever': {
      breakIt: onMembers(() => ({ incarnation: 'for-ever' })),
      broken: [
        'join – again after the node left – has an incarnation of its own',
        'replaced – the rooms of the first registration – belong to the second',
        TAKES_NOTHING
      ],
      instead: /'for-ever', expected anything but 'for-ever'/
    },
    'registers any record': {
      breakIt: ({ join }) => ({
        join: async (record) => await join(record)
          .catch(async () => await join({ id: 'any', wssUrl: 'wss://any.example/' }))
      }),
      broken: ['join – a record that is not valid – rejects with a TypeError that names the field'],
      instead: /resolved to .*expected a rejection/
    },
    'has a clock that is slow': {
      breakIt: onMembers(() => ({ now: () => Date.now() - 60_000 })),
      broken: ['now – a member – knows the clock of the store', LATER],
      instead: /"now" is \d{13}, the tests have \d{13}/
    },
    'does not tell the node that a call ended': {
      patience: 3000,
      breakIt: onMembers(({ on }) => ({ on: (event, listener) => event === 'ended' ? () => {} : on(event, listener) })),
      broken: [
        'end – a claimed room – its node is told',
        'end – a claimed room – is not held any more',
        'end – a claimed room – its node knows when the call ended',
        'end – a signature from before – does not open the room',
        'end – the binding – lingers',
        LATER,
        'end – many calls of one node at once – the node is told of each'
      ],
      instead: /after waiting 3000 ms until the node is told/
    }
  }
})

t.test('a registry that ends no calls – endsCalls: false – keeps the contract', async (t) => {
  const names: string[] = []
  const test = (name: string) => { names.push(name) }
  await membershipContract({ test, endsCalls: false }, () => ({ registry: memoryRegistry() }))
  t.ok(names.length > 20)
  t.strictSame(names.filter((name) => name.startsWith('end –')), [])
})
