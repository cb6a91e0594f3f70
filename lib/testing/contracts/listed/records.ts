import assert from 'node:assert/strict'
import { NoLiveNodeError } from '../../../errors.js'
import { assignMany, idsOf, newRoom, nodeOf, wssUrlOf } from '../rooms.js'
import type { Sentences } from '../sentences.js'
import type { ListedFixture } from './fixture.js'

const SECRET = 'secret-words'

/** Records that cannot be read. */
export const UNREADABLE_RECORDS: Sentences<ListedFixture> = {
  'assign – the record of another node cannot be read – names the nodes that can be': async (fixture) => {
    const { registry, list, spoil } = fixture
    await list('n1')
    await spoil('n2', SECRET)
    await untilWarned(fixture, 'n2')
    assert.deepEqual(idsOf(await assignMany(registry, 20)), ['n1'])
  },

  'assign – a bound room whose record cannot be read any more – has the last good address': async (fixture) => {
    const { registry, list, spoil } = fixture
    await list('n1')
    await list('n2')
    const room = newRoom()
    const bound = await nodeOf(registry, room)
    await spoil(bound, SECRET)
    await untilWarned(fixture, bound)
    const { node } = await registry.assign(room)
    assert.equal(node.wssUrl, wssUrlOf(bound))
  },

  'assign – a new room, and no record can be read – rejects with NoLiveNodeError': async (fixture) => {
    const { list, spoil, impatient, until } = fixture
    await list('n1')
    await spoil('n1', SECRET)
    await until('new rooms are refused', async () => {
      const answer = await impatient.assign(newRoom()).catch((error: unknown) => error)
      return answer instanceof NoLiveNodeError || answer
    })
  },

  'log – a record that cannot be read – is warned of, with the id of its node': async (fixture) => {
    await fixture.list('n1')
    await fixture.spoil('n2', SECRET)
    await untilWarned(fixture, 'n2')
  },

  'log – a record that cannot be read – is not quoted': async (fixture) => {
    await fixture.list('n1')
    await fixture.spoil('n2', SECRET)
    // A readable node shows that the nodes were read.
    await fixture.untilShown('"nodes" shows the other', (nodes) => nodes.some(({ id }) => id === 'n1'))
    await assignMany(fixture.registry, 5)
    const told = JSON.stringify([fixture.context.warnings, fixture.registry.status()])
    assert.ok(!told.includes(SECRET), told)
  }
}

async function untilWarned ({ untilShown, context }: ListedFixture, id: string): Promise<void> {
  await untilShown(`a warning names ${id}`, () => JSON.stringify(context.warnings).includes(`"${id}"`))
}
