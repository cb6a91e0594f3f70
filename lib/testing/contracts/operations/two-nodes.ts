import assert from 'node:assert/strict'
import type { RegistryOperations } from '../../../../types/operations.js'
import type { RegistryFixture } from '../registry/fixture.js'

/** Of the nodes' process: a gateway in another one must follow. */
export function operationsOf ({ nodes }: RegistryFixture): RegistryOperations {
  return nodes.operations ?? assert.fail('the registry has no "operations"')
}

export async function joinTwo ({ registry, join, untilShown }: RegistryFixture) {
  const [first, second] = [await join('n1'), await join('n2')]
  await untilShown('"nodes" shows two', (nodes) => nodes.length === 2)
  return { registry, first, second }
}
