import { WebSocketServer } from 'ws'
import { joinCobrowse } from '../node/index.js'
import { NODE_DEFAULTS } from '../node/options.js'
import { createClients } from './clients.js'
import { createRelayMetrics } from './metrics.js'
import { readRelayOptions } from './options.js'
import { createTraffic } from './traffic.js'
import { refuseUpgrade } from './upgrade.js'
import type { CobrowseNode } from '../../types/node.js'
import type { Relay, RelayLog, StartRelayOptions } from '../../types/relay.js'

const SUB_PROTOCOL = 'cobrowse.v1'
/** Connections beyond the seats: clients whose signature is being checked, or that are on their way out. */
const UNSEATED = 1000
/**
 * Options of ws that its types do not know yet: milliseconds that a client has to answer a close, and fragments of one
 * message. Browsers send fragments of at least some KiB; a flood of tiny ones costs more than its bytes show.
 */
const UNTYPED_OPTIONS = { closeTimeout: 5000, maxFragments: 1024 }

/**
 * Starts a relay node: it registers, and passes the messages of the recorder of a room to its replayers, and those of a
 * replayer to the recorder. The server must listen before, since browsers come as soon as the node is registered.
 *
 * @throws TypeError that names the option; any other error if the registry is unavailable
 */
export async function startRelay (options: StartRelayOptions): Promise<Relay> {
  const settings = readRelayOptions(options)
  const { log, node: { metrics: host, maxSeats = NODE_DEFAULTS.maxSeats, wssUrl } } = settings
  const metrics = host && await createRelayMetrics(host)
  const node = await joinCobrowse(settings.node)
  const traffic = createTraffic()
  const clients = createClients(settings, node, traffic)
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: settings.maxMessageBytes,
    handleProtocols: (offered) => offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false,
    ...UNTYPED_OPTIONS
  })
  const counts = () => ({ connections: server.clients.size, bufferedBytes: clients.bufferedBytes() })
  const unwatch = metrics?.watch(() => ({ node: node.id, ...counts(), ...traffic.totals() }))
  logEvents(node, log)
  log.info({ wssUrl }, 'relay node registered')

  return {
    id: node.id,
    status: () => ({ ...node.status(), ...counts(), rooms: clients.rooms() }),
    upgrade (request, socket, head) {
      if (server.clients.size >= maxSeats + UNSEATED) return refuseUpgrade(socket, '503 Service Unavailable')
      server.handleUpgrade(request, socket, head, (client) => clients.admit(client, request))
    },
    drain: node.drain,
    undrain: node.undrain,
    cut () {
      for (const socket of server.clients) socket.terminate()
    },
    async close () {
      clients.end()
      unwatch?.()
      await node.close()
      server.close()
    }
  }
}

function logEvents (node: CobrowseNode, log: RelayLog): void {
  node.on('lapsed', () => log.warn('the registry is unreachable: doors are shut'))
  node.on('resumed', () => log.info('the registry is reachable again'))
  node.on('replaced', () => log.warn('another process has taken the id of this node'))
  node.on('ordered', (order) => log.info({ order }, order === undefined ? 'an order ended' : 'an operator gave an order'))
}
