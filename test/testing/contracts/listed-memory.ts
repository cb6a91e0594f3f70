import { createAdapterState } from '../../../lib/common/adapter-state.js'
import { NoLiveNodeError, RegistryUnavailableError } from '../../../lib/errors.js'
import type { Registry, RoomKey } from '../../../types/index.js'

/** Records by the id of their node, as another program writes them, and bindings. */
export interface ListedStore {
  records: Map<string, string>
  bindings: Map<string, { id: string, until: number }>
}

export const createListedStore = (): ListedStore => ({ records: new Map(), bindings: new Map() })

/** A registry of listed nodes in memory, as an author may write one. A record is the address of its node. */
export function listedMemoryRegistry ({ records, bindings }: ListedStore, linger: number): Registry {
  const backend = createAdapterState({ open: () => backend.set('up') })
  const lastGood = new Map<string, string>()
  const warnedOf = new Set<string>()

  function readRecord (id: string): string | undefined {
    const text = records.get(id)
    if (text === undefined || text.startsWith('wss://')) return text
    if (!warnedOf.has(id)) backend.log?.warn({ node: id, reason: 'not an address' })
    warnedOf.add(id)
    return undefined
  }
  function nodes () {
    return [...records.keys()].flatMap((id) => {
      const wssUrl = readRecord(id)
      if (wssUrl === undefined) return []
      lastGood.set(id, wssUrl)
      return [{ id, incarnation: '-', wssUrl, weight: 1, draining: false, rooms: roomsOf(id) }]
    })
  }
  const roomsOf = (id: string) => [...bindings.values()].filter((binding) => binding.id === id).length

  return {
    start: backend.start,
    status: backend.status,
    close: backend.close,
    linger,
    nodes,
    async assign (room: RoomKey, { accepts = () => true } = {}) {
      if (backend.status().state === 'closed') throw new RegistryUnavailableError()
      const candidates = nodes()
      const key = JSON.stringify([room.tenant, room.room])
      const found = bindings.get(key)
      const isBound = found !== undefined && found.until > performance.now() && records.has(found.id)
      const [first] = candidates.filter(accepts).sort((one, other) => one.rooms - other.rooms)
      const id = isBound ? found.id : first?.id
      const wssUrl = id === undefined ? undefined : lastGood.get(id)
      if (id === undefined || wssUrl === undefined) throw new NoLiveNodeError()
      bindings.set(key, { id, until: performance.now() + linger * 1000 })
      return { node: { id, incarnation: '-', wssUrl }, issuedAt: Date.now(), joinOnly: false }
    },
    async join () {
      throw new TypeError('nodes are listed by another program')
    }
  }
}
