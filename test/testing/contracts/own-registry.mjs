// A program of an author: runs the contracts on the adapters of the built package, with node:test.
import { describe, test } from 'node:test'
import { memoryRegistry, memorySessions, staticProvision } from 'fastify-cobrowse'
import { membershipContract, provisionContract, registryContract, sessionsContract } from 'fastify-cobrowse/testing'

const isBroken = process.argv.includes('--broken')

function makeRegistry ({ linger }) {
  const registry = memoryRegistry({ linger })
  return { registry: isBroken ? { ...registry, assign: async (room) => await registry.assign(room) } : registry }
}
function makeSessions () {
  const sessions = memorySessions()
  return { sessions, issue: sessions.issue, revoke: sessions.revoke }
}

describe('own adapters', { concurrency: true }, () => {
  registryContract({ test, slack: 200 }, makeRegistry)
  if (isBroken) return
  membershipContract({ test, slack: 200 }, makeRegistry)
  sessionsContract({ test }, makeSessions)
  provisionContract({ test }, () => ({ provision: staticProvision('entry.example') }))
})
