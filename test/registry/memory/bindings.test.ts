import t from 'tap'
import { createBindings } from '../../../lib/registry/memory/bindings.js'
import { nodeRecord } from '../../../lib/testing/contracts/rooms.js'

const member = () => ({
  view: { ...nodeRecord('n1'), incarnation: 'i', weight: 1, draining: false, rooms: 0 }, gone: false
})

t.test('a tenant that asks for room after room – up to the bound – costs no other tenant a room', async (t) => {
  const bindings = createBindings(60_000, () => {}, 100)
  const node = member()
  bindings.bind('known', node, 'other')
  let bound = 0
  while (bindings.mayBind('greedy') && bound < 1000) bindings.bind(`room-${bound++}`, node, 'greedy')
  t.equal(bound, 99)
  t.equal(bindings.find('known'), node)
  t.ok(bindings.mayBind('other'))
  t.ok(bindings.mayBind('new'))
  bindings.prolong('room-0')
  bindings.bind('room-1', node, 'greedy')
  t.notOk(bindings.mayBind('greedy'), 'a room that is bound again counts once')
  bindings.claim('room-2', node)
  t.ok(bindings.mayBind('greedy'), 'a claimed room stops lingering')
  t.equal(node.view.rooms, 100)
})
