import { setTimeout as sleep } from 'node:timers/promises'
import { readArguments } from './arguments.js'
import { EXIT } from './exit.js'
import { asUsage, ORDER_HELP, ORDER_OPTIONS, readOrder, tell } from './order-arguments.js'
import { createWaiting } from './progress.js'
import { HELP_END, withStore } from './store.js'
import { toPrintable } from './table.js'
import type { OpenStore } from './store.js'
import type { Verb } from './verb.js'
import type { NewRoomMove, RoomExplanation, RoomMove } from '../../types/operations.js'
import type { RoomKey } from '../../types/registry.js'

const MOVE_OPTIONS = { ...ORDER_OPTIONS, to: { type: 'string' } } as const

/** Longer than the linger and a lease: by then the binding has ended, even if the node never gives the room up. */
const WAIT_MS = 30_000
const LOOK_MS = 500

const HELP = `Usage: fastify-cobrowse move TENANT ROOM --reason TEXT [options]

Moves a room away from its node. The node closes the room, and its clients ask again; gateways answer them 50303 until
the node has given the room up, and then name another node. Waits for that, and tells what the next caller gets. Ends
with 1 if the node has not given the room up after 30 s, or if no other node may take it. A room that is bound to no
node is no error.

${ORDER_HELP}
  --to ID              the node that is to have the room; default any other node
${HELP_END}`

export const moveVerb: Verb = {
  summary: 'moves a room away from its node',
  help: HELP,
  async run (args) {
    const { values, positionals: [tenant = '', room = ''] } = readArguments(args, MOVE_OPTIONS, ['TENANT', 'ROOM'])
    const move: NewRoomMove = { ...readOrder(values), to: values.to }
    return await withStore(values, async ({ operations }) =>
      await moveRoom(operations, { tenant, room }, { move, isJson: values.json }))
  }
}

type Operations = OpenStore['operations']

async function moveRoom (
  operations: Operations, room: RoomKey, { move, isJson }: { move: NewRoomMove, isJson: boolean | undefined }
): Promise<number> {
  const given = await asUsage(async () => await give(operations, room, move))
  if (typeof given === 'string') {
    process.stderr.write(`fastify-cobrowse: ${toPrintable(given)}\n`)
    return EXIT.negative
  }
  const { from } = given
  const { hasLeft, next } = from === undefined
    ? { hasLeft: true, next: (await operations.explain(room, { history: false })).next }
    : await waitUntilLeft(operations, room, { from, ms: WAIT_MS })
  const outcome = from !== undefined && hasLeft ? 'moved' : given.outcome
  const line = `${inWords(from, hasLeft)}; the next caller gets ${next}`
  tell(isJson, { ...room, outcome, ...from !== undefined && { from }, next }, toPrintable(line))
  return hasLeft ? EXIT.ok : EXIT.negative
}

/** @returns the reason, which is about no argument, if no other node may take the room */
async function give (operations: Operations, room: RoomKey, move: NewRoomMove): Promise<RoomMove | string> {
  try {
    return await operations.move(room, move)
  } catch (error) {
    const namesArgument = error instanceof TypeError && error.message.startsWith('"')
    if (!(error instanceof TypeError) || namesArgument) throw error
    return error.message
  }
}

function inWords (from: string | undefined, hasLeft: boolean): string {
  if (from === undefined) return 'the room is bound to no node, so there is nothing to move'
  return hasLeft ? `the room has left ${from}` : `the room has not left ${from} yet`
}

/**
 * Waits until the node has given the room up, or is dead, or the binding has ended.
 *
 * @param ms after which the answer is that it has not
 */
export async function waitUntilLeft (
  operations: Pick<Operations, 'explain'>, room: RoomKey, { from, ms }: { from: string, ms: number }
): Promise<{ hasLeft: boolean, next: string }> {
  const startedAt = performance.now()
  const waiting = createWaiting(process.stderr, toPrintable(`waiting until ${from} gives the room up`))
  for (;;) {
    const waited = performance.now() - startedAt
    const { binding, next } = await operations.explain(room, { history: false })
    const hasLeft = !isHeld(binding)
    if (hasLeft || waited >= ms) {
      waiting.end()
      return { hasLeft, next }
    }
    waiting.show(Math.floor(waited / 1000))
    await sleep(LOOK_MS)
  }
}

const isHeld = (binding: RoomExplanation['binding']) => binding?.state === 'moving' && binding.isAlive
