// Runs a gateway: Fastify with the built plugin, on HTTP.
import Fastify from 'fastify'
import { cobrowse, memorySessions, ownUserIdOnly, staticProvision } from '../../../dist/lib/index.js'
import { beginChild } from './child.mjs'
import { withOperator } from './operator.mjs'
import { createRandom } from './random.mjs'
import { makeRegistry } from './registry.mjs'

const { note, ...config } = beginChild()
const { settings: { signing, path, releasePath, moveShare }, user, nodes, seed } = config
// Requests of a gateway to the store promise nothing to a node.
const registry = withOperator(makeRegistry(config, () => {}), {
  share: moveShare, nodes, random: createRandom(seed), note
})
const sessions = memorySessions()
const app = Fastify({ requestTimeout: 5000 })
await app.register(cobrowse, {
  sessions,
  registry: {
    ...registry,
    start: (context) => registry.start({
      ...context,
      onState (status) {
        note('state', status)
        context.onState(status)
      }
    })
  },
  provision: staticProvision('wss://relay.example'),
  signing,
  authorize: ownUserIdOnly,
  path,
  releasePath
})
await app.listen({ host: '127.0.0.1', port: 0 })
const token = sessions.issue({ tenantId: 'race', channelId: 'web', userId: user })
process.send({ port: app.server.address().port, token })
