import { closeAdapter } from '../adapter.js'
import { createContext } from '../log.js'
import { createPace } from '../pace.js'
import { patientRegistry } from '../patient.js'
import { newRoom, nodeRecord } from '../rooms.js'
import type { Membership, NodeRecord, NodeView, Registry, RoomKey } from '../../../../types/registry.js'
import type { BindingContractOptions, MakeRegistry } from '../../../../types/contracts.js'
import type { AdapterFixture } from '../adapter.js'
import type { Prepared } from '../sentences.js'

/** Longer than any test takes on a busy machine: no binding ends. */
export const LONG_LINGER = 300

export interface RegistryFixture extends AdapterFixture {
  registry: Registry
  /** The registry of the nodes' process: `registry`, or another one on the same store. */
  nodes: Registry
  /** The adapters without retries. `registry` and `nodes` ask them again after a failure. */
  impatient: { registry: Registry, nodes: Registry }
  join (id: string, more?: Partial<NodeRecord>): Promise<Membership>
  /** Waits until the registry shows its nodes like this. */
  untilShown (what: string, check: (nodes: readonly NodeView[]) => boolean): Promise<void>
  /** Milliseconds of the linger. */
  lingerMs: number
  /** Milliseconds after which a binding has certainly ended. */
  goneAfterMs: number
  clockSkew: number
}

type Settings = Required<{ [Name in keyof BindingContractOptions]: NonNullable<BindingContractOptions[Name]> }>

/** Makes the registry for one sentence, without starting it. */
export async function prepareRegistry (
  make: MakeRegistry, linger: number, { patience, slack, clockSkew }: Settings
): Promise<Prepared<RegistryFixture>> {
  const made = await make({ linger })
  const pace = createPace(patience)
  const impatient = { registry: made.registry, nodes: made.nodes ?? made.registry }
  const registry = patientRegistry(impatient.registry, pace.patiently)
  const nodes = impatient.nodes === impatient.registry ? registry : patientRegistry(impatient.nodes, pace.patiently)
  const pollRoom: RoomKey = newRoom('poll')

  const fixture: RegistryFixture = {
    ...pace,
    registry,
    nodes,
    impatient,
    join: async (id, more) => await nodes.join(nodeRecord(id, more)),
    untilShown: async (what, check) => await pace.until(what, async () => {
      // A registry may read its nodes only when it is asked.
      await registry.assign(pollRoom).catch(() => {})
      return check(registry.nodes()) || registry.nodes()
    }),
    lingerMs: linger * 1000,
    goneAfterMs: linger * 1000 + slack,
    clockSkew,
    adapter: nodes,
    use: async () => nodes.nodes()
  }
  async function close () {
    await pace.inTime(async () => await closeAdapter(registry))
    await pace.inTime(async () => await closeAdapter(nodes))
    await made.close?.()
  }
  return { fixture, close }
}

/** Makes and starts both registries, as in an application that is ready. */
export async function prepareStarted (...args: Parameters<typeof prepareRegistry>): Promise<Prepared<RegistryFixture>> {
  const prepared = await prepareRegistry(...args)
  const { registry, nodes } = prepared.fixture
  for (const each of new Set([registry, nodes])) each.start(createContext())
  return prepared
}
