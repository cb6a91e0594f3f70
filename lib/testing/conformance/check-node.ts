import { freshId } from './forge.js'
import { STEPS, stepsFor } from './rules/index.js'
import { runStep } from './run-step.js'
import { readCheckOptions } from './settings.js'
import { openRedis } from './redis-store.js'
import { openZooKeeper } from './zookeeper-store.js'
import { createConnect } from './client.js'
import { waitFor } from './wait.js'
import type { Rule, Step } from './rule.js'
import type { Settings } from './settings.js'
import type { Environment } from './fixture.js'
import type { Played } from './run-step.js'
import type { OpenStore, TestStore } from './store.js'
import type { Membership, Registry } from '../../../types/registry.js'
import type { CheckNodeOptions, NodeReport, RuleReport } from '../../../types/testing.js'

/**
 * Checks a relay node, written in any language, against the contract in docs/relay-nodes.md. The node needs a store
 * that no other program uses. The runner acts as the gateway, another node, the browsers and a faulty store: it ends
 * the node's lease, deletes its data (in Redis all data and scripts), and finally takes the node's id. Restart the node
 * afterwards.
 *
 * A check takes about ten leases. Faults of the node end in a report and never in an error. If the store becomes
 * unavailable, the report says what was found until then. The runner sees by a text from a recorder to its replayer
 * that the node passes messages on: give `message` if the node does not pass on every text.
 *
 * ```js
 * const report = await checkNode({
 *   redis, nodeId: 'node-1', signing: { keys: [{ id: '2026-11', secret }] }, WebSocket, log: console.log
 * })
 * process.exitCode = report.passed ? 0 : 1
 * ```
 *
 * @throws TypeError that names the option; an error if the store cannot be asked at first or has other live nodes, or
 *   if `cut`, `heal`, `stop` or `start` throws or does not end in time
 */
export async function checkNode (options: CheckNodeOptions): Promise<NodeReport> {
  const settings = readCheckOptions(options, STEPS.flatMap(({ rules }) => rules.map(({ id }) => id)))
  const opened = openStore(settings)
  try {
    return await checkOn(opened, settings)
  } finally {
    await opened.close()
  }
}

function openStore ({ redis, zookeeper: hosts = '', prefix, times }: Settings): OpenStore {
  return redis === undefined ? openZooKeeper({ hosts, times }) : openRedis({ redis, prefix, times })
}

async function checkOn ({ store, registry }: OpenStore, settings: Settings): Promise<NodeReport> {
  await assertReachable(store, settings)
  await assertUnused(store, settings)
  const rival = await registry.join({ id: `rival-${freshId()}`, wssUrl: 'wss://rival.invalid/' })
  try {
    return await check(await createEnvironment(settings, { store, registry, rival }))
  } finally {
    await rival.leave()
  }
}

/** Waits until the client is connected. */
async function assertReachable (store: TestStore, { times }: Settings): Promise<void> {
  let reason: unknown
  const isReachable = await waitFor(async () => await store.now().then(() => true, (error: unknown) => {
    reason = error
    return false
  }), times.lease, 50)
  if (isReachable !== true) throw reason
}

/** Rejects a store with other nodes, whose rooms the runner would take. */
async function assertUnused (store: TestStore, { nodeId, times }: Settings): Promise<void> {
  // Leases of an earlier check expire soon.
  const isUnused = await waitFor(async () =>
    (await store.members()).every((member) => member.startsWith(`${nodeId}|`)), times.lease + times.heartbeat, 100)
  if (isUnused === true) return
  throw new Error(`other nodes than "${nodeId}" live under ${store.place}: give the check one of its own`)
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
  const connect = createConnect(WebSocket, address)
  return { settings, ...parts, address, connect, rooms: [], incarnations: new Set(), leftAlive: [] }
}

function addressIn (record: string | null | undefined): string {
  try {
    return String(JSON.parse(record ?? '').wssUrl)
  } catch {
    return ''
  }
}

async function check (environment: Environment): Promise<NodeReport> {
  const { settings } = environment
  const rules: RuleReport[] = []
  let passed = true
  /** The reason why no further rule can be checked. */
  let obstacle: string | undefined
  for (const step of stepsFor(environment.store.name)) {
    const missing = missingFor(step, environment)
    const wanted = missing === undefined ? step.rules.filter(({ id }) => settings.isAsked(id)) : []
    const played = await play(environment, step, wanted, obstacle)
    obstacle = played.obstacle
    const reports = step.rules.map((rule) => played.reports.find(({ id }) => id === rule.id) ??
      unchecked(rule, settings.isAsked(rule.id) ? missing ?? obstacle : 'not asked for'))
    rules.push(...reports)
    passed &&= reports.every(({ id, outcome }) => outcome === 'kept' || !wanted.some((rule) => rule.id === id))
    const isFirm = played.reports.every(({ outcome }) => outcome === 'kept')
    if (step.isBasic === true && !isFirm) obstacle ??= 'the node does not do what it rests on'
  }
  const report = { passed, complete: rules.every(({ outcome }) => outcome !== 'not checked'), rules }
  settings.log(summaryOf(report))
  return report
}

async function play (
  environment: Environment, step: Step, rules: readonly Rule[], obstacle: string | undefined
): Promise<Played> {
  if (rules.length === 0 || obstacle !== undefined) return { reports: [], obstacle }
  return await runStep(environment, step, rules)
}

const unchecked = ({ id, rule }: Rule, detail: string | undefined): RuleReport =>
  ({ id, rule, outcome: 'not checked', detail })

function summaryOf ({ passed, rules }: NodeReport): string {
  const count = (outcome: string) => rules.filter((rule) => rule.outcome === outcome).length
  const parts = [[count('broken'), 'broken'], [count('not checked'), 'not checked']] as const
  const counts = parts.flatMap(([number, what]) => number > 0 ? `${number} of ${rules.length} ${what}` : [])
  return [passed ? 'passed' : 'failed', ...counts].join(', ')
}

function missingFor ({ needs = [] }: Step, { settings }: Environment): string | undefined {
  const missing = needs.filter((name) => Reflect.get(settings, name) === undefined)
  return missing.length === 0 ? undefined : `it needs the options ${missing.map((name) => `"${name}"`).join(' and ')}`
}
