import t from 'tap'
import { memoryRegistry } from '../../lib/registry/memory.js'
t.test('x', async (t) => {
  const r = memoryRegistry({ nodes: [{ id: 'a', wssUrl: 'wss://10.0.0.1/ws' }] })
  t.equal((await r.assign({ tenant: 't', room: 'r' })).node.id, 'a')
})
