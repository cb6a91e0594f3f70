import { answerLoopbackOnly } from './loopback.js'
import type { FastifyInstance } from 'fastify'
import type { Backends } from '../backends.js'
import type { Relays } from '../relay/relays.js'
import type { RelayMember } from '../../lib/relay/index.js'

export interface TopologyNode {
  id: string
  wssUrl: string
  /** Whether the node is of this process: its rooms are known here, and it can be stopped. */
  isHere: boolean
  state: string
  /** Whether the registry lists the node. Nothing else is known of nodes of other processes. */
  isListed: boolean
  /** Number of open rooms, as the node reports it. */
  roomCount: number
  rooms: Array<{ room: string, members: RelayMember[] }>
}

export interface TopologyOptions {
  relays: Relays
  registryName: Backends['registryName']
}

type OfNode = { Params: { id: string, action: string } }

/** Data and buttons of the topology page. Answered to this machine only. */
export async function topologyRoutes (app: FastifyInstance, { relays, registryName }: TopologyOptions): Promise<void> {
  app.addHook('onRequest', answerLoopbackOnly)
  app.get('/demo/topology/state', { schema: { hide: true } }, async (_request, reply) => {
    const views = app.cobrowseRegistry.nodes()
    const here = relays.all()
    const nodes: TopologyNode[] = here.map(({ id, wssUrl, relay, state }) => {
      const rooms = relay?.status().rooms ?? []
      return {
        id,
        wssUrl,
        isHere: true,
        state: state(),
        isListed: views.some((view) => view.id === id),
        roomCount: rooms.length,
        rooms: rooms.map(({ room, members }) => ({ room, members }))
      }
    })
    const elsewhere = views.filter(({ id }) => !here.some((slot) => slot.id === id))
    for (const { id, wssUrl, draining, rooms } of elsewhere) {
      const state = draining ? 'draining' : 'serving'
      nodes.push({ id, wssUrl, isHere: false, state, isListed: true, roomCount: rooms, rooms: [] })
    }
    return reply.header('cache-control', 'no-store').send({ registry: registryName, nodes })
  })

  const path = '/demo/nodes/:id/:action(^(?:stop|resume)$)'
  app.post<OfNode>(path, { schema: { hide: true } }, async (request, reply) => {
    const { id, action } = request.params
    const slot = relays.all().find((slot) => slot.id === id)
    if (slot === undefined) return await reply.code(404).send({ message: `no node "${id}" runs in this process` })
    if (action === 'stop') await slot.stop()
    else slot.start()
    return { state: slot.state() }
  })
}
