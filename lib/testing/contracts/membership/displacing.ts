import assert from 'node:assert/strict'
import { elapse } from '../pace.js'
import { newRoom } from '../rooms.js'
import type { MembershipEvents } from '../../../../types/registry.js'
import type { RegistryFixture } from '../registry/fixture.js'
import type { Sentences } from '../sentences.js'

/** Milliseconds within which a late consequence would show. */
const LATE_MS = 500

export const DISPLACING: Sentences<RegistryFixture> = {
  'replaced – another registration of the id – is told once, and the first never resumes': async (fixture) => {
    const { first, events } = await displace(fixture)
    await first.leave()
    await elapse(LATE_MS)
    assert.deepEqual(events, ['replaced'])
  },

  'replaced – the first registration – is not valid, holds nothing and claims nothing': async (fixture) => {
    const { first, room } = await displace(fixture)
    assert.equal(first.valid(), false, 'valid')
    assert.equal(first.holds(room), false, 'holds')
    assert.equal(await first.claim(room), 'lapsed', 'claim')
  },

  'replaced – the rooms of the first registration – belong to the second': async (fixture) => {
    const { second, room } = await displace(fixture)
    assert.equal((await fixture.registry.assign(room)).node.incarnation, second.incarnation)
    assert.equal(await second.claim(room), 'ok')
  },

  'replaced – the first registration leaves – takes nothing from the second': async (fixture) => {
    const { first, second, room } = await displace(fixture)
    assert.equal(await second.claim(room), 'ok')
    await first.leave()
    await elapse(LATE_MS)
    assert.equal(second.valid(), true, 'valid')
    assert.equal(second.holds(room), true, 'holds')
    assert.equal((await fixture.registry.assign(room)).node.incarnation, second.incarnation)
  }
}

/** Joins a node with a room and then another node of the same id, and waits until the first is replaced. */
async function displace ({ join, until }: RegistryFixture) {
  const first = await join('n1')
  const room = newRoom()
  const events: Array<keyof MembershipEvents> = []
  for (const event of ['replaced', 'resumed'] as const) first.on(event, () => events.push(event))
  assert.equal(await first.claim(room), 'ok')
  const second = await join('n1')
  await until('the first registration hears that it was replaced', () => events.length > 0)
  return { first, second, room, events }
}
