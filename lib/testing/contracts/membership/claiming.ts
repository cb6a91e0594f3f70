import assert from 'node:assert/strict'
import { elapse } from '../pace.js'
import { notOn } from '../registry/lingering.js'
import { newRoom, nodeOf } from '../rooms.js'
import type { RegistryFixture } from '../registry/fixture.js'
import type { Sentences } from '../sentences.js'

export const CLAIMING: Sentences<RegistryFixture> = {
  'claim – a room without a node – is "ok" and binds it': async ({ registry, join }) => {
    await join('n1')
    const second = await join('n2')
    for (let count = 0; count < 8; count++) {
      const room = newRoom()
      assert.equal(await second.claim(room), 'ok')
      assert.equal(await nodeOf(registry, room), 'n2')
    }
  },

  'claim – a room that is assigned to another live node – is "elsewhere"': async (fixture) => {
    const { room, other } = await assignToOne(fixture)
    assert.equal(await other.claim(room), 'elsewhere')
    assert.equal(other.holds(room), false)
  },

  'claim – a room that another live node claimed – is "elsewhere"': async ({ join }) => {
    const [first, second] = [await join('n1'), await join('n2')]
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    assert.equal(await second.claim(room), 'elsewhere')
  },

  'claim – a room that is assigned to the node – is "ok", again and again': async (fixture) => {
    const { room, holder } = await assignToOne(fixture)
    assert.equal(await holder.claim(room), 'ok')
    assert.equal(await holder.claim(room), 'ok', 'the second claim')
  },

  'claim – a signal that has aborted – rejects with its reason': async ({ impatient, rejection }) => {
    const member = await impatient.nodes.join({ id: 'n1', wssUrl: 'wss://n1.example/' })
    const reason = new Error('gone')
    const signal = AbortSignal.abort(reason)
    assert.equal(await rejection(async () => await member.claim(newRoom(), { signal })), reason)
  },

  'holds – a claimed room – is true until it is released': async ({ join }) => {
    const member = await join('n1')
    const [room, other] = [newRoom(), newRoom()]
    assert.equal(member.holds(room), false, 'before the claim')
    assert.equal(await member.claim(room), 'ok')
    assert.equal(await member.claim(other), 'ok')
    assert.equal(member.holds({ ...room }), true, 'after the claim')
    await member.release(room)
    assert.equal(member.holds(room), false, 'after the release')
    assert.equal(member.holds(other), true, 'another room')
  },

  'release – the last client left – the binding lingers': async ({ registry, join }) => {
    const [first, second] = [await join('n1'), await join('n2')]
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await first.release(room)
    assert.equal((await registry.assign(room, notOn('n1'))).node.id, 'n1')
    assert.equal(await second.claim(room), 'elsewhere', 'a claim of another node')
    assert.equal(await first.claim(room), 'ok', 'a claim of its node')
  },

  'release – a room of another node – changes nothing': async ({ registry, join }) => {
    const [first, second] = [await join('n1'), await join('n2')]
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await second.release(room)
    assert.equal(first.holds(room), true)
    assert.equal(await nodeOf(registry, room), 'n1')
  }
}

/** Sentences that wait for the end of a binding, with a short linger. */
export const CLAIMED_LONG: Sentences<RegistryFixture> = {
  'claim – a claimed room that nothing asks for – stays bound': async ({ registry, join, goneAfterMs }) => {
    const first = await join('n1')
    await join('n2')
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await elapse(goneAfterMs)
    assert.equal((await registry.assign(room, notOn('n1'))).node.id, 'n1')
    assert.equal(first.holds(room), true)
  },

  'release – a room that nothing asks for – ends after its linger': async ({ registry, join, goneAfterMs }) => {
    const first = await join('n1')
    await join('n2')
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await first.release(room)
    await elapse(goneAfterMs)
    assert.equal((await registry.assign(room, notOn('n1'))).node.id, 'n2')
  },

  'release – a room of another node – does not end its binding': async ({ registry, join, goneAfterMs }) => {
    const [first, second] = [await join('n1'), await join('n2')]
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await second.release(room)
    await elapse(goneAfterMs)
    assert.equal((await registry.assign(room, notOn('n1'))).node.id, 'n1')
  }
}

async function assignToOne ({ registry, join }: RegistryFixture) {
  const [first, second] = [await join('n1'), await join('n2')]
  const room = newRoom()
  const id = await nodeOf(registry, room)
  const [holder, other] = id === 'n1' ? [first, second] : [second, first]
  return { room, holder, other }
}
