import t from 'tap'
import { createRegistration } from '../../../lib/registry/membership/registration.js'

const accepted = { outcome: 'ok' as const, now: 0, ends: [], claims: [] }
const firstOne = () => {
  const registration = createRegistration('n1')
  registration.attempt('first', 'e1').hear(accepted)
  return registration
}

t.test('a registration – the first one – has the epoch of its call, once it is acknowledged', async (t) => {
  const registration = createRegistration('n1')
  t.equal(registration.epoch, '')
  const attempt = registration.attempt('first', 'e1')
  const { member, ...rest } = attempt.call()
  t.match(member, /^n1\|[\w-]{22}$/)
  t.strictSame(rest, { epoch: 'e1', replaces: '' })
  t.equal(attempt.hear(accepted), 'registered')
  t.strictSame(registration.self(), { epoch: 'e1', member })
})

t.test('a registration – in a new epoch – keeps its incarnation', async (t) => {
  const registration = firstOne()
  const { member } = registration.self()
  const attempt = registration.attempt('again')
  t.equal(attempt.hear({ outcome: 'epoch', epoch: 'e2' }), 'retry')
  t.match(attempt.call(), { epoch: 'e2', member, replaces: registration.incarnation })
  t.equal(attempt.hear(accepted), 'registered')
  t.strictSame(registration.self(), { epoch: 'e2', member })
})

t.test('a registration – after a lapse – tries one fresh incarnation until it is acknowledged', async (t) => {
  const registration = firstOne()
  const before = registration.incarnation
  const { member, replaces } = registration.attempt('renewed').call()
  t.equal(replaces, before)
  t.equal(registration.incarnation, before, 'which counts from the acknowledgement on')
  t.ok(registration.isPending())
  t.strictSame(registration.members(), [`n1|${before}`, member])
  const again = registration.attempt('renewed')
  t.equal(again.call().member, member)
  again.hear(accepted)
  t.equal(registration.self().member, member)
  t.notOk(registration.isPending())
})

t.test('a registration – that died unheard – is replaced by a fresh one', async (t) => {
  const registration = firstOne()
  const attempt = registration.attempt('renewed')
  const { member: dead } = attempt.call()
  t.equal(attempt.hear({ outcome: 'lapsed' }), 'lapsed')
  const { member, replaces } = attempt.call()
  t.equal(`n1|${replaces}`, dead)
  t.not(member, dead)
  t.equal(registration.attempt('renewed').call().replaces, replaces, 'also by the next attempt')
})

t.test('a registration – of an id that another process has – replaces it at first, and is displaced later', async (t) => {
  const present = { outcome: 'present' as const, incarnation: 'other' }
  const first = createRegistration('n1').attempt('first')
  t.equal(first.hear(present), 'retry')
  t.equal(first.call().replaces, 'other')
  t.equal(firstOne().attempt('renewed').hear(present), 'displaced')
  const forgotten = firstOne().attempt('again')
  t.equal(forgotten.hear({ ...present, incarnation: '' }), 'retry')
  t.equal(forgotten.call().replaces, '', 'a store that forgot it has nothing to replace')
})
