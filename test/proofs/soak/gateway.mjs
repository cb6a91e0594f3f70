// Runs a built gateway in a process of its own.
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import {
  cobrowse, memorySessions, ownUserIdOnly, redisRegistry, staticProvision
} from '../../../dist/lib/index.js'
import { answerMeasures } from './measure.mjs'

const { redisPort, times, signing, session } = JSON.parse(process.argv[2])
const redis = new Redis(redisPort, '127.0.0.1').on('error', () => {})
const sessions = memorySessions()
const app = Fastify({ requestTimeout: 5000, keepAliveTimeout: 500 })
await app.register(cobrowse, {
  sessions,
  registry: redisRegistry({ redis, ...times }),
  provision: staticProvision('wss://relay.example'),
  signing,
  authorize: ownUserIdOnly
})
await app.listen({ port: 0, host: '127.0.0.1' })
answerMeasures(() => app.cobrowse.status().inFlight)
process.on('message', (message) => {
  if (message === 'token') process.send({ token: sessions.issue(session) })
})
process.on('disconnect', () => process.exit(0))
process.send({ port: app.server.address().port })
