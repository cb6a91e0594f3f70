import { readArguments } from './arguments.js'
import { EXIT } from './exit.js'
import { HELP_END, STORE_OPTIONS, withStore } from './store.js'
import { toAge, toPrintable, toTable } from './table.js'
import type { Verb } from './verb.js'
import type { NodeOrder, OperatedNode } from '../../types/operations.js'

const HELP = `Usage: fastify-cobrowse nodes [options]

Prints every node: its state, its rooms, when it was heard of, its address, and the order that it is under.

${HELP_END}`

const TITLES = ['NODE', 'STATE', 'ROOMS', 'CAPACITY', 'WEIGHT', 'ZONE', 'HEARD', 'ADDRESS', 'ORDER']

export const nodesVerb: Verb = {
  summary: 'prints every node, and its order',
  help: HELP,
  async run (args) {
    const { values } = readArguments(args, STORE_OPTIONS)
    const nodes = await withStore(values, async ({ operations }) => await operations.nodes())
    if (values.json === true) process.stdout.write(`${JSON.stringify(nodes, undefined, 2)}\n`)
    else process.stdout.write(nodesTable(nodes))
    if (nodes.length === 0) process.stderr.write('there is no node: are the store and --prefix those of the gateways?\n')
    return EXIT.ok
  }
}

export const nodesTable = (nodes: OperatedNode[]): string => toTable(TITLES, nodes.map(toRow))

function toRow (node: OperatedNode): string[] {
  const { id, state, rooms, capacity, weight, zone, heardAgo, wssUrl, order, fault } = node
  const heard = heardAgo === undefined ? '-' : `${toAge(heardAgo)} ago`
  const cells = [id, state, rooms, capacity, weight, zone, heard, wssUrl ?? fault, order && toLine(order)]
  return cells.map((cell) => toPrintable(String(cell ?? '-')))
}

/** An order in one line. */
export function toLine ({ kind, reason, author, at }: NodeOrder): string {
  return `${kind} by ${author} ${toAge(Math.max(0, Date.now() - at))} ago: ${reason}`
}
