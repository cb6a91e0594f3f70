import { NoLiveNodeError } from '../../lib/errors.js'
import { newRoom, nodeRecord } from '../../lib/testing/contracts/rooms.js'
import { watch } from '../support/redis-registry.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { NodeRecord, Registry } from '../../types/index.js'

export type ParseListed = (text: string, id: string) => Omit<NodeRecord, 'id'>

interface Listed {
  gateway: Registry
  list (id: string, text: string): Promise<unknown>
  relist (id: string, text: string): Promise<unknown>
}

const parseWords: ParseListed = (text, id) => {
  if (text === 'garbage') throw new Error('secret words')
  return { wssUrl: `wss://${text}/ws/cobrowse/${id}` }
}

/** Tests `parse`, which Redis and ZooKeeper have in common, beside the contract of listed nodes. */
export function readListedRecords (
  t: Test, name: string, make: (t: Test, parse: ParseListed) => Promise<Listed>
): void {
  t.test('records in another format – are read by parse, and each unreadable one says why', async (t) => {
    const { gateway, list, relist } = await make(t, parseWords)
    await list('n1', 'one.example:8443')
    await list('n2', 'garbage')
    await list('n3', 'x'.repeat(5000))
    await list('n 4', 'four.example')
    const { warnings } = watch(gateway)
    const bound = newRoom()
    const isRefused = async () =>
      await gateway.assign(newRoom()).then(() => false, (error) => error instanceof NoLiveNodeError)
    const reasonOf = (id: string) =>
      warnings.map((warning) => JSON.stringify(warning)).find((warning) => warning.includes(`"node":"${id}"`))
    const { node } = await gateway.assign(bound)
    t.strictSame(node, { id: 'n1', incarnation: '-', wssUrl: 'wss://one.example:8443/ws/cobrowse/n1' })
    await relist('n1', 'garbage')
    await until(isRefused, 'no record can be read')
    for (const id of ['n1', 'n2', 'n3', 'n 4']) await until(() => reasonOf(id) !== undefined, `a warning names ${id}`)
    t.match(reasonOf('n1'), /cannot be parsed/)
    t.match(reasonOf('n2'), /cannot be parsed/)
    t.match(reasonOf('n3'), /must not be longer than 4096 bytes/)
    t.match(reasonOf('n 4'), /must be 1 to 64 of/)
    t.notMatch(JSON.stringify(warnings), /secret words|one\.example|xxx/)
  })

  t.test('join – nodes are listed – names the option', async (t) => {
    const { gateway } = await make(t, parseWords)
    await t.rejects(gateway.join(nodeRecord('n1')), {
      name: 'TypeError', message: `"listed" option of ${name}: another program registers its nodes`
    })
  })
}
