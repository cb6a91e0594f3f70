import { readArguments } from './arguments.js'
import { EXIT } from './exit.js'
import { HELP_END, STORE_OPTIONS, withStore } from './store.js'
import { toPrintable, toTable } from './table.js'
import type { OpenStore } from './store.js'
import type { Verb } from './verb.js'

const OPTIONS = { ...STORE_OPTIONS, node: { type: 'string' }, count: { type: 'boolean' } } as const

const HELP = `Usage: fastify-cobrowse rooms [options]

Prints the rooms that are bound to nodes. The store knows only a hash of tenant and room id. Reads the whole
store, piece by piece; in Redis, the user needs the right to SCAN.

  --node ID            only those of this node
  --count              only their number on each node
${HELP_END}`

export const roomsVerb: Verb = {
  summary: 'prints the rooms of each node, or their number',
  help: HELP,
  async run (args) {
    const { values } = readArguments(args, OPTIONS)
    await withStore(values, async (store) => {
      await (values.count === true ? printCounts : printRooms)(store, values.node, values.json === true)
    })
    return EXIT.ok
  }
}

async function printRooms ({ operations }: OpenStore, node: string | undefined, isJson: boolean): Promise<void> {
  // Line by line, since there may be a million.
  for await (const room of operations.rooms({ node })) {
    const line = isJson ? JSON.stringify(room) : toPrintable(`${room.key}  ${room.state.padEnd(8)}  ${room.node}`)
    process.stdout.write(`${line}\n`)
  }
}

async function printCounts ({ operations }: OpenStore, node: string | undefined, isJson: boolean): Promise<void> {
  const counts = new Map<string, number>()
  for await (const room of operations.rooms({ node })) counts.set(room.node, (counts.get(room.node) ?? 0) + 1)
  const sorted = [...counts].sort(([one], [other]) => one < other ? -1 : 1)
  if (isJson) process.stdout.write(`${JSON.stringify(Object.fromEntries(sorted))}\n`)
  else process.stdout.write(toTable(['NODE', 'ROOMS'], sorted.map(([id, count]) => [toPrintable(id), String(count)])))
}
