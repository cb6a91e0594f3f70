import assert from 'node:assert/strict'
import { startTwice } from '../adapter.js'
import { newRoom, nodeRecord } from '../rooms.js'
import { assertNoLiveNode } from './assigning.js'
import type { Sentences } from '../sentences.js'
import type { RegistryFixture } from './fixture.js'

/** Sentences about a registry that was not started. */
export const CLOSING: Sentences<RegistryFixture> = {
  'close – another instance still uses the registry – keeps memberships': async (fixture) => {
    const member = await fixture.join('n1')
    const [first] = await startTwice(fixture)
    await fixture.nodes.close(first)
    assert.equal(member.valid(), true)
  },

  'close – the last instance closes – ends memberships': async (fixture) => {
    const member = await fixture.join('n1')
    await closeNodes(fixture)
    assert.equal(member.valid(), false)
  },

  'close – the last instance closes – takes its nodes out of the choice': async (fixture) => {
    await fixture.join('n1')
    await closeNodes(fixture)
    // A gateway in another process goes on.
    if (fixture.registry === fixture.nodes) return
    assertNoLiveNode(await fixture.rejection(async () => await fixture.registry.assign(newRoom())))
  },

  'assign – the registry is closed – rejects': async (fixture) => {
    await fixture.join('n1')
    await closeNodes(fixture)
    await fixture.rejection(async () => await fixture.impatient.nodes.assign(newRoom()))
  },

  'join – the registry is closed – rejects': async (fixture) => {
    await closeNodes(fixture)
    await fixture.rejection(async () => await fixture.impatient.nodes.join(nodeRecord('n1')))
  }
}

async function closeNodes (fixture: RegistryFixture): Promise<void> {
  for (const context of await startTwice(fixture)) await fixture.nodes.close(context)
}
