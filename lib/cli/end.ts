import { readArguments } from './arguments.js'
import { EXIT } from './exit.js'
import { HELP_END, STORE_OPTIONS, withStore } from './store.js'
import type { Verb } from './verb.js'

const HELP = `Usage: fastify-cobrowse end TENANT ROOM [options]

Ends the call of a room, as releaseConnection does: its node closes the room, and no signature from before opens it.
A room that is not open is no error.

${HELP_END}`

export const endVerb: Verb = {
  summary: 'ends the call of a room',
  help: HELP,
  async run (args) {
    const { values, positionals: [tenant = '', room = ''] } = readArguments(args, STORE_OPTIONS, ['TENANT', 'ROOM'])
    await withStore(values, async ({ registry }) => await registry.end?.({ tenant, room }))
    process.stdout.write(values.json === true ? `${JSON.stringify({ tenant, room, ended: true })}\n` : 'ended\n')
    return EXIT.ok
  }
}
