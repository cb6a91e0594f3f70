import { setTimeout as sleep } from 'node:timers/promises'
import { readArguments, readTime } from './arguments.js'
import { EXIT } from './exit.js'
import { nodesTable } from './nodes.js'
import { HELP_END, STORE_OPTIONS, withStore } from './store.js'
import type { Verb } from './verb.js'

const HELP = `Usage: fastify-cobrowse watch [options]

Prints the table of the nodes again and again, until you press Ctrl-C. On a terminal it replaces the last table.

  --interval TIME      between two tables; default 2s
${HELP_END}`

const CLEAR = '\u001B[H\u001B[2J'
const DEFAULT_INTERVAL_MS = 2000

export const watchVerb: Verb = {
  summary: 'prints the table of the nodes again and again',
  help: HELP,
  async run (args) {
    const { values } = readArguments(args, { ...STORE_OPTIONS, interval: { type: 'string' } })
    const interval = readTime(values.interval, '--interval') ?? DEFAULT_INTERVAL_MS
    const end = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
    await withStore(values, async ({ operations }) => {
      while (!end.signal.aborted) {
        const nodes = await operations.nodes()
        const text = values.json === true ? `${JSON.stringify(nodes)}\n` : nodesTable(nodes)
        process.stdout.write(process.stdout.isTTY ? `${CLEAR}${text}` : text)
        await sleep(interval, undefined, { signal: end.signal }).catch(() => {})
      }
    })
    return EXIT.ok
  }
}
