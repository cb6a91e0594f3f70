import { redisRegistry } from '../../registry/redis.js'
import { freshId } from './forge.js'
import { STEPS } from './rules/index.js'
import { runStep } from './run-step.js'
import { readCheckOptions } from './settings.js'
import { createTestStore } from './store.js'
import { createConnect } from './client.js'
import { waitFor } from './wait.js'
import type { Step } from './rule.js'
import type { Settings } from './settings.js'
import type { Environment } from './fixture.js'
import type { TestStore } from './store.js'
import type { Membership, Registry } from '../../../types/registry.js'
import type { CheckNodeOptions, NodeReport, RuleReport } from '../../../types/testing.js'

/**
 * Checks a relay node, written in any language, against the contract in docs/relay-nodes.md. The node needs a store
 * that no other program uses. The runner acts as the gateway, another node, the browsers and a faulty store: it ends
 * the node's lease, deletes all data, and finally takes the node's id. Restart the node afterwards.
 *
 * A check takes about ten leases. Faults of the node end in a report and never in an error. The runner sees by a text
 * from a recorder to its replayer that the node passes messages on: give `message` if the node does not pass on every
 * text.
 *
 * ```js
 * const report = await checkNode({
 *   redis, nodeId: 'node-1', signing: { keys: [{ id: '2026-11', secret }] }, WebSocket, log: console.log
 * })
 * process.exitCode = report.passed ? 0 : 1
 * ```
 *
 * @throws TypeError that names the option; an error if the store cannot be asked or has other live nodes, or if `cut`,
 *   `heal`, `stop` or `start` throws
 */
export async function checkNode (options: CheckNodeOptions): Promise<NodeReport> {
  const settings = readCheckOptions(options, STEPS.flatMap(({ rules }) => rules.map(({ id }) => id)))
  const { redis, prefix, times: { linger, ...times } } = settings
  const registry = redisRegistry({ redis, prefix, ...times, linger: linger / 1000 })
  const store = createTestStore(settings)
  await assertUnused(store, settings)
  const rival = await registry.join({ id: `rival-${freshId()}`, wssUrl: 'wss://rival.invalid/' })
  try {
    return await check(await createEnvironment(settings, { store, registry, rival }))
  } finally {
    await rival.leave()
  }
}

/** Rejects a store with other nodes, whose rooms the runner would take. */
async function assertUnused (store: TestStore, { nodeId, prefix, times }: Settings): Promise<void> {
  // Leases of an earlier check expire soon.
  const isUnused = await waitFor(async () =>
    (await store.members()).every((member) => member.startsWith(`${nodeId}|`)), times.lease + times.heartbeat, 100)
  if (isUnused === true) return
  throw new Error(`other nodes than "${nodeId}" live under the prefix "${prefix}": give the check one of its own`)
}

interface Parts {
  store: TestStore
  registry: Registry
  rival: Membership
}

async function createEnvironment (settings: Settings, parts: Parts): Promise<Environment> {
  const { nodeId, wssUrl, WebSocket, recoverMs } = settings
  const registration = await waitFor(async () => await parts.store.registration(nodeId), recoverMs)
  const address = wssUrl ?? addressIn(registration?.record)
  return { settings, ...parts, address, connect: createConnect(WebSocket, address), rooms: [] }
}

function addressIn (record: string | null | undefined): string {
  try {
    return String(JSON.parse(record ?? '').wssUrl)
  } catch {
    return ''
  }
}

async function check (environment: Environment): Promise<NodeReport> {
  const rules: RuleReport[] = []
  let passed = true
  /** The reason why no further rule can be checked. */
  let obstacle: string | undefined
  for (const act of STEPS) {
    const asked = act.rules.filter(({ id }) => environment.settings.isAsked(id))
    const missing = obstacle ?? missingFor(act, environment)
    const isPlayed = asked.length > 0 && missing === undefined
    const played: RuleReport[] = isPlayed ? await runStep(environment, act, asked) : []
    if (isPlayed && played.length === 0) obstacle = 'the node is not registered any more'
    if (played.some(({ outcome }) => outcome !== 'kept') && act.isBasic) obstacle = 'the node does not do what it rests on'
    passed &&= obstacle === undefined && played.every(({ outcome }) => outcome === 'kept')
    for (const { id, rule } of act.rules) {
      const detail = environment.settings.isAsked(id) ? missing ?? obstacle : 'not asked for'
      rules.push(played.find((report) => report.id === id) ?? { id, rule, outcome: 'not checked', detail })
    }
  }
  return { passed, rules }
}

function missingFor ({ needs = [] }: Step, { settings }: Environment): string | undefined {
  const missing = needs.filter((name) => Reflect.get(settings, name) === undefined)
  return missing.length === 0 ? undefined : `it needs the options ${missing.map((name) => `"${name}"`).join(' and ')}`
}
