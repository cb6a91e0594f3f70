import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { readPluginOptions, RELAY_NAME } from './options.js'
import { startRelay } from './relay.js'
import { handleUpgrades } from './upgrade.js'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Relay, RelayOptions } from '../../types/relay.js'

/** Milliseconds between two tries to register. */
const RETRY_MS = 1000

/** Relay nodes of an application and of those that it is part of, by their ids. */
type Relays = Map<string, Relay>

declare module 'fastify' {
  interface FastifyInstance {
    /** The relay nodes that have registered, by their ids. */
    cobrowseRelays: ReadonlyMap<string, Relay>
  }
}

const plugin: FastifyPluginAsync<RelayOptions> = async (app, options) => {
  const { path, drain, relay: settings } = readPluginOptions(options)
  const relays = relaysOf(app)
  const log = app.log.child({ plugin: RELAY_NAME, node: settings.id })
  const ending = new AbortController()
  let relay: Relay | undefined
  let starting: Promise<void> | undefined

  async function start (): Promise<void> {
    for (let isFirst = true; !ending.signal.aborted; isFirst = false) {
      try {
        relay = await startRelay({ ...settings, log })
        relays.set(relay.id, relay)
        return
      } catch (error) {
        log[isFirst ? 'warn' : 'debug']({ reason: String(error) }, 'the relay node cannot register yet')
        await sleep(RETRY_MS, undefined, { signal: ending.signal }).catch(() => {})
      }
    }
  }

  const stopListening = handleUpgrades(app.server, path, () => relay)
  // A node that registers before its server listens would attract browsers that cannot connect.
  app.addHook('onListen', async () => { starting = start() })
  app.addHook('preClose', async () => {
    ending.abort()
    await starting
    await relay?.drain(drain)
  })
  app.addHook('onClose', async () => {
    stopListening()
    await relay?.close()
    relays.delete(settings.id)
  })
}

function relaysOf (app: FastifyInstance): Relays {
  if (!app.hasDecorator('cobrowseRelays')) app.decorate('cobrowseRelays', new Map())
  // Decorated above, or by another registration of this plugin.
  return app.cobrowseRelays as Relays
}

/** The plugin: makes the server of the application a relay node, beside whatever else it serves. */
export const relay: FastifyPluginAsync<RelayOptions> = fp(plugin, { name: RELAY_NAME, fastify: '5.x' })
export default relay

export { startRelay } from './relay.js'
export { handleUpgrades, UPGRADE_OPTIONS } from './upgrade.js'
export type * from '../../types/relay.js'
