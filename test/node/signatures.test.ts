import t from 'tap'
import { createFakeClock } from './fake-clock.js'
import { createFakeMembership } from './fake-membership.js'
import { ROOM, startNode, watch } from './start-node.js'
import type { ClaimResult, NodeRecord } from '../../types/registry.js'
import type { SignatureClaims } from '../../types/signature.js'

t.test('a signature – shown by two sockets, even at once – is used once', async (t) => {
  const { attempt, sign, membership } = await startNode()
  const signature = sign()
  t.strictSame((await Promise.all([attempt(signature), attempt(signature)])).sort(), [4408, 'in'])
  membership().calls.length = 0
  const elsewhere = { ...ROOM, room: 'other' }
  t.equal(await attempt(sign({ ...elsewhere, id: 'ticket-1' })), 4408)
  t.strictSame(membership().calls, [], 'the registry is not asked')
})

t.test('a store clock set back by an hour – used signatures stay used, fresh ones are admitted', async (t) => {
  let ahead = 3_600_000
  const clock = createFakeClock()
  const now = () => clock.wall() + ahead
  const { attempt, sign } = await startNode({}, { clock, join: async (record) => createFakeMembership(record, now) })
  const signNow = () => {
    const issuedAt = Math.floor(now() / 1000)
    return sign({ issuedAt, expiresAt: issuedAt + 15 })
  }
  const used = signNow()
  t.equal(await attempt(used), 'in')
  await clock.pass(30_000)
  t.equal(await attempt(signNow()), 'in', 'the first signature is forgotten')
  ahead = 0
  t.equal(await attempt(signNow()), 'in')
  t.equal(await attempt(used), 4408)
  ahead = 3_600_000 - 30_000
  t.equal(await attempt(used), 4408, 'still used when the clock has caught up')
})

t.test('a signature – is used up by an admission only', async (t) => {
  const { admit, attempt, sign, membership } = await startNode({ maxSeats: 1 })
  const signature = sign()
  const answers: Array<ClaimResult | Error> = ['elsewhere', 'lapsed', new Error('away')]
  const given = []
  for (const answer of answers) {
    membership().answer = () => {
      if (answer instanceof Error) throw answer
      return answer
    }
    given.push(await attempt(signature))
  }
  t.strictSame(given, [4410, 4410, 4503])
  t.equal(membership().calls.length, 3, 'each attempt asks once')
  membership().answer = (grant, room) => grant(room)
  const other = await admit()
  t.equal(await attempt(signature), 4429)
  other.leave()
  t.equal(await attempt(signature), 'in')
})

t.test('signatures issued before the end of a call – are rejected, and later ones admitted', async (t) => {
  const { admit, attempt, sign, membership, clock } = await startNode()
  const [before, joinOnly] = [sign(), sign({ joinOnly: true })]
  const inside = watch(await admit())
  membership().endCall(ROOM)
  await clock.pass(0)
  t.match(inside.end, { code: 4410 })
  await clock.pass(100)
  t.equal(await attempt(), 4410, 'the second of the end counts as before it')
  await clock.pass(900)
  t.equal(await attempt(), 'in')
  t.equal(await attempt(before), 4410, 'even when the room is open again')
  t.equal(await attempt(joinOnly), 4410)
  t.equal(await attempt({ joinOnly: true }), 'in')
})

t.test('a join-only signature that may be older than the process – is rejected', async (t) => {
  const clock = createFakeClock()
  await clock.pass(300)
  const issuedAt = Math.floor(clock.wall() / 1000)
  const join = async (record: NodeRecord) => createFakeMembership(record, clock.wall)
  const started = await startNode({}, { clock, join })
  await started.admit()
  const attempt = async (ticket: Partial<SignatureClaims>) => await started.attempt({ joinOnly: true, ...ticket })
  const known = 'incarnation-1'
  t.equal(await attempt({ issuedAt: issuedAt - 1, knownIncarnation: known }), 4410, 'dated before the process')
  t.equal(await attempt({ issuedAt }), 4410, 'dated in the second in which it registered')
  t.equal(await attempt({ issuedAt, knownIncarnation: known }), 'in', 'admitted if the gateway knew the process')
  t.equal(await attempt({ issuedAt: issuedAt + 1 }), 'in')
  t.equal(await attempt({ issuedAt: issuedAt + 5, knownIncarnation: 'other' }), 4410, 'from a gateway whose clock is ahead')
  t.equal(await attempt({ issuedAt: issuedAt + 6, knownIncarnation: 'other' }), 'in')
})

t.test('a join-only signature – of an incarnation that a lapse ended – is valid for the same process', async (t) => {
  const { admit, attempt, membership } = await startNode()
  await admit()
  const first = membership().incarnation
  membership().lapse()
  membership().resume()
  t.equal(await attempt({ joinOnly: true, knownIncarnation: first }), 'in')
  t.equal(await attempt({ joinOnly: true, knownIncarnation: membership().incarnation }), 'in')
})

t.test('a join-only signature – enters open rooms only', async (t) => {
  const { node, admit, attempt, sign, membership, clock } = await startNode()
  t.equal(await attempt({ joinOnly: true }), 4410, 'a closed room stays closed')
  t.strictSame(membership().calls, [], 'the registry is never asked')
  const recorder = await admit()
  const signature = sign({ joinOnly: true })
  t.equal(await attempt(signature), 'in')
  t.equal(await attempt(signature), 4408, 'once')
  membership().lapse()
  t.equal(await attempt({ joinOnly: true, role: 'replayer' }), 'in', 'an open room behind a shut door')
  t.equal(await attempt(), 4410, 'a normal signature is rejected at a shut door')
  t.equal(await attempt({ joinOnly: true, room: 'r2' }), 4410)
  t.equal(await attempt({ joinOnly: true, tenant: 't2' }), 4410, 'the same name in another tenant is another room')
  t.strictSame(membership().calls, ['claim t/r'])
  recorder.leave()
  t.equal(node.status().seats, 2)
  await clock.pass(0)
})
