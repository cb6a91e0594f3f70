import assert from 'node:assert/strict'
import { elapse } from '../pace.js'
import { newRoom, nodeOf } from '../rooms.js'
import type { NodeView } from '../../../../types/registry.js'
import type { Sentences } from '../sentences.js'
import type { RegistryFixture } from './fixture.js'

const ATTEMPTS = 5
const REQUESTS = 24

/** Nodes of any kind, joined or listed. */
type LingeringFixture = Pick<RegistryFixture, 'registry' | 'lingerMs' | 'goneAfterMs'> & {
  join (id: string): Promise<unknown>
}

/** Sentences that wait for the end of a binding, with a short linger. */
export const LINGERING: Sentences<LingeringFixture> = {
  'linger – a registry that tells it – tells the seconds that it was made with': async ({ registry, lingerMs }) => {
    if (registry.linger !== undefined) assert.equal(registry.linger * 1000, lingerMs, 'milliseconds')
  },

  'assign – a bound room that nothing asks for – is assigned again after its linger': async (fixture) => {
    const { registry, goneAfterMs } = fixture
    await joinTwo(fixture)
    const room = newRoom()
    const bound = await nodeOf(registry, room)
    await elapse(goneAfterMs)
    assert.notEqual((await registry.assign(room, notOn(bound))).node.id, bound)
  },

  'assign – a bound room that is asked for within its linger – stays bound': async (fixture) => {
    await joinTwo(fixture)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { bound, answers, longestGap } = await keepAsking(fixture)
      // If a busy machine left a gap, the binding was allowed to end.
      if (longestGap < fixture.lingerMs) return assert.deepEqual([...new Set(answers)], [bound], 'nodes in turn')
    }
    assert.fail(`the machine is too slow: a gap of ${fixture.lingerMs} ms in each of ${ATTEMPTS} attempts`)
  }
}

/** Asks for one room, for longer than a binding lasts unless it is prolonged. */
async function keepAsking ({ registry, goneAfterMs }: LingeringFixture) {
  let lastAskedAt = performance.now()
  let longestGap = 0
  const room = newRoom()
  const bound = await nodeOf(registry, room)
  const answers: string[] = []
  for (let count = 0; count < REQUESTS; count++) {
    await elapse(goneAfterMs / (REQUESTS - 4))
    const askedAt = performance.now()
    const { node } = await registry.assign(room, notOn(bound))
    answers.push(node.id)
    longestGap = Math.max(longestGap, performance.now() - lastAskedAt)
    lastAskedAt = askedAt
  }
  return { bound, answers, longestGap }
}

async function joinTwo ({ join }: LingeringFixture): Promise<void> {
  await join('n1')
  await join('n2')
}

export const notOn = (bound: string) => ({ accepts: ({ id }: NodeView) => id !== bound })
