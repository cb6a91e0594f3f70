import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { createGateway } from './gateway/gateway.js'
import { createDecorator } from './http/decorator.js'
import { createRoutes } from './http/endpoints.js'
import { PLUGIN_NAME, readOptions } from './options.js'
import type { FastifyPluginAsync, RegisterOptions } from 'fastify'
import type { CobrowseOptions } from '../types/index.js'

const plugin: FastifyPluginAsync<CobrowseOptions & RegisterOptions> = async (app, options) => {
  const settings = readOptions(options)
  const { decoratorName, readyDelay } = settings
  if (Object.hasOwn(app, decoratorName)) {
    throw new TypeError(`"${decoratorName}" is decorated in this scope already: give a second registration of ` +
      `${PLUGIN_NAME} another "decoratorName", or a sibling scope`)
  }
  const log = app.log.child({ plugin: PLUGIN_NAME })
  const gateway = await createGateway(settings, log)

  app.decorate(decoratorName, createDecorator(gateway, settings.timeout))
  app.decorate(`${decoratorName}Registry`, settings.registry)
  app.decorate(`${decoratorName}Provision`, settings.provision)
  if (!app.hasRequestDecorator('cobrowseSession')) app.decorateRequest('cobrowseSession', null)

  app.addHook('onReady', async () => {
    warnOfEndlessRequests(app.server.requestTimeout)
    await gateway.start()
  })
  app.addHook('preClose', async () => {
    gateway.retire()
    await sleep(readyDelay)
    gateway.refuseNew()
  })
  app.addHook('onClose', async () => await gateway.close())

  // fastify-plugin drops the options that any plugin may be registered with (fastify/fastify#1831).
  const { logLevel, logSerializers } = options
  const scope = { prefix: settings.prefix, ...logLevel && { logLevel }, ...logSerializers && { logSerializers } }
  for (const route of createRoutes(settings, gateway)) await app.register(route, scope)

  function warnOfEndlessRequests (requestTimeout: number | undefined): void {
    if (requestTimeout !== 0) return
    log.warn('the server option "requestTimeout" is 0: a caller that never ends its request line or headers ' +
      'holds a socket for as long as it likes. Set it, and "http.connectionsCheckingInterval" to a second or so: Node.js ' +
      'looks for such callers every 30 seconds only')
  }
}

/** The plugin. */
export const cobrowse: FastifyPluginAsync<CobrowseOptions> = fp(plugin, { name: PLUGIN_NAME, fastify: '5.x' })
export default cobrowse

export { ownUserIdOnly } from './http/authorize.js'
export {
  ApiFabricAnswerSchema, ConnectionInfoAnswerSchema, ErrorAnswerSchema, ReleaseAnswerSchema, openapiSecurity,
  openapiSecuritySchemes
} from './http/openapi.js'
export { ApiFabricBodySchema } from './http/api-fabric.js'
export { ConnectionInfoBodySchema, ReleaseBodySchema } from './http/schema.js'
export type { ConnectionInfoAnswer, ErrorAnswerBody } from './http/openapi.js'
export { chain, filterBy, leastLoaded, prefer } from './gateway/placement.js'
export { memoryRegistry } from './registry/memory.js'
export { redisRegistry } from './registry/redis.js'
export { zookeeperRegistry } from './registry/zookeeper.js'
export { staticProvision } from './provision/static.js'
export { httpProvision } from './provision/http.js'
export { fromNodeRedis } from './redis-client/node-redis.js'
export { memorySessions } from './sessions/memory.js'
export { redisSessions } from './sessions/redis.js'
export { jwksKeys, publicJwks } from './signing/jwks.js'
export { verifySignature } from './signing/verify.js'
export * from './errors.js'
export type * from '../types/index.js'
