import { setTimeout as sleep } from 'node:timers/promises'
import { readArguments, readTime } from './arguments.js'
import { EXIT } from './exit.js'
import { toLine } from './nodes.js'
import { asUsage, ORDER_HELP, ORDER_OPTIONS, readOrder, tell } from './order-arguments.js'
import { createProgress } from './progress.js'
import { HELP_END, STORE_OPTIONS, withStore } from './store.js'
import type { OpenStore } from './store.js'
import type { Verb } from './verb.js'
import type { NewNodeOrder, OperatedNode } from '../../types/operations.js'

const DRAIN_OPTIONS = {
  ...ORDER_OPTIONS,
  deadline: { type: 'string' },
  'return-within': { type: 'string' },
  wait: { type: 'boolean' }
} as const

const PERSISTS = `The order is kept in the store, by the id of the node: it outlives restarts of nodes and gateways, and
of a store that keeps its data. The node need not be registered.`

/** A drained node needs so long beyond the deadline: the spread, a few heartbeats, and a loaded machine. */
const GRACE_MS = 30_000
const DEFAULT_DEADLINE_MS = 600_000
const LOOK_MS = 1000

export const cordonVerb: Verb = {
  summary: 'gives a node no new rooms',
  help: `Usage: fastify-cobrowse cordon ID --reason TEXT [options]

Gives a node no new rooms; its rooms stay. ${PERSISTS}

${ORDER_HELP}
${HELP_END}`,
  async run (args) {
    const { values, positionals: [id = ''] } = readArguments(args, ORDER_OPTIONS, ['ID'])
    const order: NewNodeOrder = { kind: 'cordon', ...readOrder(values) }
    return await withStore(values, async (store) => await give(store, id, order, values.json))
  }
}

export const drainVerb: Verb = {
  summary: 'gives a node no new rooms, and empties it by a deadline',
  help: `Usage: fastify-cobrowse drain ID --reason TEXT [options]

Gives a node no new rooms. Clients that are left at the deadline are told to ask again, and get another node.
${PERSISTS}

${ORDER_HELP}
  --deadline TIME      such as 30s, 10m, 1h, or 0s for at once; default 10m
  --return-within TIME clients spread their return over this time, up to 10m; default 0s
  --wait               shows the rooms that are left until the node is empty; ends with 1 if it is not empty 30 s after
                       the deadline and the return
${HELP_END}`,
  async run (args) {
    const { values, positionals: [id = ''] } = readArguments(args, DRAIN_OPTIONS, ['ID'])
    const deadline = readTime(values.deadline, '--deadline') ?? DEFAULT_DEADLINE_MS
    const returnWithin = readTime(values['return-within'], '--return-within') ?? 0
    const order: NewNodeOrder = { kind: 'drain', ...readOrder(values), deadline, returnWithin }
    return await withStore(values, async (store) => {
      const code = await give(store, id, order, values.json)
      return values.wait === true ? await waitUntilEmpty(store, id, deadline + returnWithin + GRACE_MS) : code
    })
  }
}

export const uncordonVerb = takingBack('uncordon')
export const undrainVerb = takingBack('undrain')

function takingBack (name: string): Verb {
  return {
    summary: 'takes the order for a node back',
    help: `Usage: fastify-cobrowse ${name} ID [options]

Takes the order for a node back, whichever it is: the node gets new rooms again.

${HELP_END}`,
    async run (args) {
      const { values, positionals: [id = ''] } = readArguments(args, STORE_OPTIONS, ['ID'])
      return await withStore(values, async ({ operations }) => {
        const before = (await operations.orders()).get(id)
        await asUsage(async () => await operations.setOrder(id, null))
        if (before === undefined) process.stderr.write(`${id} was under no order\n`)
        tell(values.json, { id, order: null }, `${id} gets new rooms again`)
        return EXIT.ok
      })
    }
  }
}

async function give ({ operations }: OpenStore, id: string, order: NewNodeOrder, isJson = false): Promise<number> {
  await asUsage(async () => await operations.setOrder(id, order))
  const isRegistered = (await operations.nodes()).some((node) => node.id === id && node.state !== 'gone')
  if (!isRegistered) process.stderr.write(`${id} is not registered: the order waits for it\n`)
  const given = (await operations.orders()).get(id)
  tell(isJson, { id, order: given }, `${id}: ${given === undefined ? 'the order was taken back' : toLine(given)}`)
  return EXIT.ok
}

/** @param ms after which a node that is not empty does not follow the order */
export async function waitUntilEmpty (
  { operations }: Pick<OpenStore, 'operations'>, id: string, ms: number
): Promise<number> {
  const endsAt = performance.now() + ms
  const progress = createProgress(process.stderr)
  for (;;) {
    const isLast = performance.now() >= endsAt
    const node = (await operations.nodes()).find((each) => each.id === id)
    progress.show(node?.rooms ?? 0)
    const isDone = isEmpty(node)
    if (isDone || isLast) {
      progress.end(isDone ? `${id} is empty` : `${id} does not follow the order`)
      return isDone ? EXIT.ok : EXIT.negative
    }
    await sleep(LOOK_MS)
  }
}

/** A node that is not alive admits nobody. A living one tells that it has heard of the order. */
function isEmpty (node: OperatedNode | undefined): boolean {
  if (node === undefined || node.state === 'lapsed' || node.state === 'gone') return true
  return node.rooms === 0 && node.draining === true
}
