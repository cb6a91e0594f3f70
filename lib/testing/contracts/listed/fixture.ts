import { closeAdapter } from '../adapter.js'
import { createContext } from '../log.js'
import { createPace } from '../pace.js'
import { patientRegistry } from '../patient.js'
import { newRoom, wssUrlOf } from '../rooms.js'
import type { BindingContractOptions, ListedUnderTest, MakeListed } from '../../../../types/contracts.js'
import type { NodeView, Registry } from '../../../../types/registry.js'
import type { RecordingContext } from '../log.js'
import type { Pace } from '../pace.js'
import type { Prepared } from '../sentences.js'

export interface ListedFixture extends Pace, Pick<ListedUnderTest, 'spoil' | 'unlist'> {
  registry: Registry
  /** The registry without retries. `registry` asks it again after a failure. */
  impatient: Registry
  /** The context that the registry was started with. */
  context: RecordingContext
  /** Starts the registry of another gateway. */
  another (): Registry
  list (id: string, wssUrl?: string): Promise<void>
  /** Alias of `list`, the same name as for nodes that join. */
  join (id: string): Promise<void>
  /** Waits until a registry shows its nodes like this. */
  untilShown (what: string, check: (nodes: readonly NodeView[]) => boolean, registry?: Registry): Promise<void>
  lingerMs: number
  goneAfterMs: number
  clockSkew: number
}

type Settings = Required<{ [Name in keyof BindingContractOptions]: NonNullable<BindingContractOptions[Name]> }>

/** Makes and starts the registry for one sentence. */
export async function prepareListed (
  make: MakeListed, linger: number, { patience, slack, clockSkew }: Settings
): Promise<Prepared<ListedFixture>> {
  const made = await make({ linger })
  const pace = createPace(patience)
  const started: Registry[] = []
  const pollRoom = newRoom('poll')

  function start (registry: Registry): { registry: Registry, context: RecordingContext } {
    const context = createContext()
    started.push(registry)
    registry.start(context)
    return { registry: patientRegistry(registry, pace.patiently), context }
  }
  const { registry, context } = start(made.registry)
  const list = async (id: string, wssUrl = wssUrlOf(id)) => { await made.list(id, wssUrl) }

  const fixture: ListedFixture = {
    ...pace,
    registry,
    impatient: made.registry,
    context,
    another: () => start(made.another()).registry,
    list,
    join: list,
    spoil: async (id, secret) => await made.spoil(id, secret),
    unlist: async (id) => await made.unlist(id),
    untilShown: async (what, check, of = registry) => await pace.until(what, async () => {
      // A registry may read its nodes only when it is asked.
      await of.assign(pollRoom).catch(() => {})
      return check(of.nodes()) || of.nodes()
    }),
    lingerMs: linger * 1000,
    goneAfterMs: linger * 1000 + slack,
    clockSkew
  }
  async function close () {
    for (const each of started) await pace.inTime(async () => await closeAdapter(each))
    await made.close?.()
  }
  return { fixture, close }
}
