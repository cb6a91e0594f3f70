import { BEAT, CLAIM_ROOMS, REGISTER } from '../../../../lib/registry/redis/scripts/node.js'
import { ARGUMENT, COMMON_KEYS } from '../start-node.js'
import type { Redis } from 'ioredis'
import type { Defect } from '../start-node.js'
import type { RedisScripter } from '../../../../types/registry.js'
import type { Script } from '../../../../lib/registry/redis/scripts/prelude.js'

type Change = Required<Defect>['redis']
type Argument = string | number

/** What a script was sent, without its keys. */
interface Sent {
  script: Script
  args: Argument[]
  /** Number of rooms among the keys. */
  rooms: number
}

const WITH_CLAIMS = [BEAT, CLAIM_ROOMS, REGISTER]
const FIRST_CLAIM = new Map([
  [BEAT, ARGUMENT.claimToBeat], [CLAIM_ROOMS, ARGUMENT.claim], [REGISTER, ARGUMENT.claimToRegister]
])

export const isAnswer = (answer: unknown, word: string): answer is unknown[] =>
  Array.isArray(answer) && answer[0] === word

/** The kind of the claims in a call. */
export const kindOf = ({ script, args }: Sent): string =>
  String(args[script === CLAIM_ROOMS ? ARGUMENT.kindOfClaim : ARGUMENT.kind])

/** Changes the arguments, or the answers, of the node's scripts. */
export const changing = (
  { send = ({ args }) => args, hear = (answer) => answer }:
  { send?: (sent: Sent) => Argument[], hear?: (answer: unknown, sent: Sent) => unknown }
): Change => (good: Redis): Partial<RedisScripter> => ({
  async evalsha (sha1, keys, ...given) {
    const script = WITH_CLAIMS.find((known) => known.sha1 === sha1)
    if (script === undefined) return await good.evalsha(sha1, keys, ...given)
    const sent = { script, args: given.slice(keys), rooms: keys - COMMON_KEYS }
    return hear(await good.evalsha(sha1, keys, ...given.slice(0, keys), ...send(sent)), sent)
  }
})

/** Replaces one argument. */
export const put = (args: Argument[], at: number, value: Argument): Argument[] => args.with(at, value)

/** Replaces the number and the date of each claim. */
export function eachClaim (
  { script, args, rooms }: Sent, change: (number: Argument, date: Argument) => [Argument, Argument]
): Argument[] {
  const changed = [...args]
  const first = FIRST_CLAIM.get(script) ?? Infinity
  for (let at = first; at < first + 2 * rooms; at += 2) {
    [changed[at], changed[at + 1]] = change(String(args[at]), String(args[at + 1]))
  }
  return changed
}

/** Replaces the words and the times in the answers to claims. */
export function hearClaims (answer: unknown, change: (word: string, endedAt: number) => [string, number]): unknown {
  if (!isAnswer(answer, 'ok')) return answer
  const [, , , claims] = answer
  if (!Array.isArray(claims)) return answer
  return answer.with(3, Array.from({ length: claims.length / 2 }, (_, at) =>
    change(String(claims[2 * at]), Number(claims[2 * at + 1]))).flat())
}

/** Takes one word in the answers to claims for another. */
export const taking = (word: string, other: string): Change => changing({
  hear: (answer) => hearClaims(answer, (heard, endedAt) => [heard === word ? other : heard, endedAt])
})
