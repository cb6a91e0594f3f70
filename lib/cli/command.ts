import { checkNodeVerb } from './check-node.js'
import { doctorVerb } from './doctor.js'
import { endVerb } from './end.js'
import { EXIT, UsageError } from './exit.js'
import { explainVerb } from './explain.js'
import { moveVerb } from './move.js'
import { nodesVerb } from './nodes.js'
import { cordonVerb, drainVerb, uncordonVerb, undrainVerb } from './orders.js'
import { roomsVerb } from './rooms.js'
import { watchVerb } from './watch.js'
import type { Verb } from './verb.js'

const VERBS: Record<string, Verb> = {
  nodes: nodesVerb,
  rooms: roomsVerb,
  watch: watchVerb,
  explain: explainVerb,
  cordon: cordonVerb,
  uncordon: uncordonVerb,
  drain: drainVerb,
  undrain: undrainVerb,
  move: moveVerb,
  end: endVerb,
  doctor: doctorVerb,
  'check-node': checkNodeVerb
}

const HELP = `Usage: fastify-cobrowse <verb> [options]

${Object.entries(VERBS).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`).join('\n')}

fastify-cobrowse <verb> --help describes a verb.
`

/** Runs a verb. @returns the exit code */
export async function runCommand (args: string[]): Promise<number> {
  try {
    return await run(args)
  } catch (error) {
    process.stderr.write(`fastify-cobrowse: ${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof UsageError ? EXIT.usage : EXIT.failed
  }
}

async function run ([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(HELP)
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
  if (verb === undefined) throw new UsageError(`there is no verb "${name}"; it is one of ${Object.keys(VERBS).join(', ')}`)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(verb.help)
    return EXIT.ok
  }
  return await verb.run(args)
}
