import { readArguments } from './arguments.js'
import { EXIT } from './exit.js'
import { HELP_END, STORE_OPTIONS, withStore } from './store.js'
import { toAge, toPrintable } from './table.js'
import type { Verb } from './verb.js'
import type { RoomExplanation } from '../../types/operations.js'

const HELP = `Usage: fastify-cobrowse explain TENANT ROOM [options]

Tells which node a room is bound to, which nodes a new room may get, why the others may not, what the next caller gets,
and what happened to the room, newest first. It changes nothing.

${HELP_END}`

/** Most nodes that are named; --json has all. */
const MOST_NAMED = 8

export const explainVerb: Verb = {
  summary: 'tells where a room is, and what the next caller gets',
  help: HELP,
  async run (args) {
    const { values, positionals: [tenant = '', room = ''] } = readArguments(args, STORE_OPTIONS, ['TENANT', 'ROOM'])
    const explanation = await withStore(values, async ({ operations }) => await operations.explain({ tenant, room }))
    const text = values.json === true ? JSON.stringify(explanation, undefined, 2) : toText(explanation)
    process.stdout.write(`${text}\n`)
    return EXIT.ok
  }
}

function toText (explanation: RoomExplanation): string {
  const { key, binding, endedAt, settlingMs, candidates, leftOut, next, history } = explanation
  const lines = [
    ['room', key],
    ['bound to', binding === undefined ? 'no node' : boundTo(binding)],
    ...endedAt === undefined ? [] : [['call ended', `${toAge(Math.max(0, Date.now() - endedAt))} ago`]],
    ...settlingMs > 0 ? [['settling', `for ${toAge(settlingMs)} more`]] : [],
    ['new rooms', candidates.length === 0 ? 'on no node' : named(candidates)],
    ...leftOut.map(({ id, reason }) => ['not on', `${id} (${reason})`]),
    ['next caller', next],
    ...history.map(({ at, text }) => ['history', `${toAge(Math.max(0, Date.now() - at))} ago: ${text}`])
  ]
  return lines.map(([title = '', text = '']) => toPrintable(`${title.padEnd(12)}${text}`)).join('\n')
}

function boundTo (binding: NonNullable<RoomExplanation['binding']>): string {
  const { node, state, claims, isAlive, endsIn } = binding
  const isMove = state === 'moving' || state === 'moved'
  const ends = endsIn === undefined || endsIn < 0 ? [] : [`until ${toAge(endsIn)} from now`]
  const parts = isMove
    ? [moveInWords(binding), isAlive ? 'alive' : 'not alive', ...ends]
    : [state, isAlive ? 'alive' : 'not alive', `claims: ${claims}`, ...ends.map((text) => `${text}, unless prolonged`)]
  return `${node} (${parts.join(', ')})`
}

function moveInWords ({ state, target = 'another node' }: NonNullable<RoomExplanation['binding']>): string {
  return state === 'moving' ? `moving to ${target}, not given up` : `moving to ${target}, given up`
}

function named (ids: string[]): string {
  const more = ids.length - MOST_NAMED
  return more > 0 ? `${ids.slice(0, MOST_NAMED).join(', ')} and ${more} more` : ids.join(', ')
}
