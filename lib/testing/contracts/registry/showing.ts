import assert from 'node:assert/strict'
import type { Sentences } from '../sentences.js'
import type { RegistryFixture } from './fixture.js'

export const SHOWING: Sentences<RegistryFixture> = {
  'nodes – nodes that joined – are shown as they registered': async ({ registry, join, untilShown }) => {
    const members = [await join('n1', { weight: 2, zone: 'az1', capacity: 9 }), await join('n2', { draining: true })]
    await untilShown('"nodes" shows two', (nodes) => nodes.length === 2)
    const shown = registry.nodes().map(({ id, incarnation, weight, zone, capacity, draining }) =>
      ({ id, incarnation, weight, zone, capacity, draining }))
    const [first, second] = members.map(({ incarnation }) => incarnation)
    assert.deepEqual(shown.sort((one, other) => one.id < other.id ? -1 : 1), [
      { id: 'n1', incarnation: first, weight: 2, zone: 'az1', capacity: 9, draining: false },
      { id: 'n2', incarnation: second, weight: 1, zone: undefined, capacity: undefined, draining: true }
    ])
  },

  'nodes – a node that left – is shown no more': async ({ join, untilShown }) => {
    const member = await join('n1')
    await join('n2')
    await untilShown('"nodes" shows two', (nodes) => nodes.length === 2)
    await member.leave()
    await untilShown('"nodes" shows the other alone', (nodes) => nodes.map(({ id }) => id).join() === 'n2')
  }
}
