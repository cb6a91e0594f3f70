import assert from 'node:assert/strict'
import { RegistrySettlingError } from '../../../errors.js'
import { newRoom, nodeOf } from '../rooms.js'
import { joinTwo, operationsOf } from './two-nodes.js'
import type { RoomEvent } from '../../../../types/operations.js'
import type { RoomKey } from '../../../../types/registry.js'
import type { RegistryFixture } from '../registry/fixture.js'
import type { Sentences } from '../sentences.js'

const WHY = { reason: 'the picture freezes', author: 'anna' }

/** `explain` tells what happened to a room. */
export const HISTORY: Sentences<RegistryFixture> = {
  'explain – a room that was chosen, claimed, released and ended – tells all of it, newest first': async (fixture) => {
    const { registry, first, second } = await joinTwo(fixture)
    const room = newRoom()
    const id = await nodeOf(registry, room)
    const member = id === 'n1' ? first : second
    assert.equal(await member.claim(room), 'ok')
    await member.release(room)
    await registry.end?.(room)
    const events = await historyOf(fixture, room)
    assert.deepEqual(events.map(({ event }) => event), [
      ...registry.end === undefined ? [] : ['ended'], 'released', 'claimed', 'chosen'
    ])
    assert.deepEqual([...new Set(events.map(({ node }) => node))], [id])
    const dates = events.map(({ at }) => at)
    assert.deepEqual(dates, dates.toSorted((one, other) => other - one))
    const now = Date.now()
    for (const at of dates) assert.ok(Math.abs(at - now) < 60_000 + fixture.clockSkew, `${at}, now ${now}`)
  },

  'explain – a room that was chosen – tells what the gateway chose from': async (fixture) => {
    const { registry } = await joinTwo(fixture)
    await fixture.join('full', { capacity: 0 })
    await fixture.join('draining', { draining: true })
    await fixture.untilShown('"nodes" shows four', (nodes) => nodes.length === 4)
    const room = newRoom()
    const id = await nodeOf(registry, room)
    const [{ node, choice } = assert.fail('no event')] = await historyOf(fixture, room)
    assert.equal(node, id)
    assert.equal(choice?.candidates, 2)
    assert.ok(choice.proposed.some((proposed) => proposed.id === id && proposed.load >= 0))
    assert.deepEqual(choice.leftOut, { draining: 1, full: 1, refused: 0, dead: 0 })
    assert.match(choice.gateway, /^\S+ \d+$/)
  },

  'explain – a known room – tells nothing new': async (fixture) => {
    const { registry } = await joinTwo(fixture)
    const room = newRoom()
    for (let times = 0; times < 3; times++) await registry.assign(room)
    assert.equal((await historyOf(fixture, room)).length, 1)
    const { binding, history } = await operationsOf(fixture).explain(room, { history: false })
    assert.equal(binding?.state, 'assigned')
    assert.deepEqual(history, [], 'history: false')
  },

  'explain – a room whose node is gone – tells which node it had before': async (fixture) => {
    const { registry, first } = await joinTwo(fixture)
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await first.leave()
    assert.equal(await nodeOf(registry, room), 'n2')
    const [{ event, instead } = assert.fail('no event')] = await historyOf(fixture, room)
    assert.deepEqual({ event, instead }, { event: 'chosen', instead: { node: 'n1', why: 'died' } })
  },

  'explain – a room that an operator moved – tells who did, why, and what came of it': async (fixture) => {
    const { registry, first } = await joinTwo(fixture)
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await operationsOf(fixture).move(room, { ...WHY, to: 'n2' })
    const ask = async () => await registry.assign(room, { isKnown: true }).then(() => true, (error) => {
      if (error instanceof RegistrySettlingError) return false
      throw error
    })
    await fixture.until('the next caller gets a node', ask)
    const [chosen, moved] = await historyOf(fixture, room)
    assert.deepEqual(chosen?.instead, { node: 'n1', why: 'moved' })
    assert.deepEqual([moved?.event, moved?.node, moved?.why], ['moved', 'n1', { ...WHY, to: 'n2' }])
  }
}

/** Without the first event of the store itself. */
async function historyOf (fixture: RegistryFixture, room: RoomKey): Promise<RoomEvent[]> {
  const { history } = await operationsOf(fixture).explain(room)
  return history.filter(({ event }) => event !== 'epoch')
}
