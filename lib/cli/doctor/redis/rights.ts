import { createHash } from 'node:crypto'
import { fault, ok, warning } from '../finding.js'
import type { Redis } from 'ioredis'
import type { Finding } from '../finding.js'

/**
 * Every command of the scripts, in a form that writes nothing to a missing key. HSET is given an odd number of
 * arguments, and XADD an id that no entry may have, which Redis refuses after it has checked the rights.
 */
export const PROBES = [
  'INFO replication', 'TIME', 'GET KEY', 'SET KEY - XX', 'DEL KEY', 'PEXPIRE KEY 1', 'PTTL KEY',
  'HGET KEY -', 'HSET KEY - - -', 'HMGET KEY -', 'HDEL KEY -', 'HEXISTS KEY -', 'HGETALL KEY', 'HLEN KEY', 'HSTRLEN KEY -',
  'ZADD KEY XX 1 -', 'ZREM KEY -', 'ZSCORE KEY -', 'ZCARD KEY', 'ZCOUNT KEY 0 1', 'ZRANGEBYSCORE KEY 0 1',
  'ZRANGEBYLEX KEY - +', 'ZREMRANGEBYLEX KEY - +', 'ZREMRANGEBYSCORE KEY 0 1', 'ZREMRANGEBYRANK KEY 0 0',
  'EXISTS KEY', 'XADD KEY 0-0 - -', 'XREVRANGE KEY + -'
]

/** KEYS: a missing key, then those of the registry. ARGV: the probes. Answers commands and errors, in turn. */
const SCRIPT = `
local failed = {}
for _, probe in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(probe, '%S+') do words[#words + 1] = word == 'KEY' and KEYS[1] or word end
  local answer = redis.pcall(unpack(words))
  if type(answer) == 'table' and answer.err then
    failed[#failed + 1] = words[1]
    failed[#failed + 1] = answer.err
  end
end
return failed
`
const SHA1 = createHash('sha1').update(SCRIPT).digest('hex')
const KEYS = ['leases', 'nodes', 'meta', 'ids', 'releases', 'ended', 'orders', 'history']

/** Redis 6 and 7.0 say the first, newer ones the second. */
const DENIED = /can't run this command|no permissions to run/
const DENIED_KEY = /no permissions to access|can't access/
/** Reasons for which Redis takes no writes now. */
const NO_WRITES = /\b(READONLY|NOREPLICAS|MISCONF|OOM)\b/
const PAGE = 'see "Rights in Redis" in docs/adapters.md'

/** Tries each command of the scripts, without a change of any key. */
export async function checkRights (redis: Redis, prefix: string): Promise<Finding[]> {
  const keys = [`${prefix}:room:doctor`, ...KEYS.map((name) => `${prefix}:${name}`)]
  try {
    const failed = toFailures(await redis.eval(SCRIPT, keys.length, ...keys, ...PROBES))
    await redis.evalsha(SHA1, 1, `${prefix}:room:doctor`)
    return [judgeCommands(failed), ...judgeWrites(failed)]
  } catch (error) {
    return [judgeScript(error as Error, prefix)]
  }
}

type Failure = readonly [command: string, error: string]

function toFailures (answer: unknown): Failure[] {
  // The script documents this type.
  const flat = answer as string[]
  return flat.flatMap((command, at) => at % 2 === 0 ? [[command, flat[at + 1] ?? ''] as const] : [])
}

function judgeCommands (failed: Failure[]): Finding {
  const denied = failed.filter(([, error]) => DENIED.test(error)).map(([command]) => command)
  const needed = denied.filter((command) => command !== 'INFO')
  if (needed.length > 0) {
    const rights = needed.map((command) => `+${command.toLowerCase()}`).join(' ')
    return fault('rights', `the user may not run ${needed.join(', ')}`, `ACL SETUSER … ${rights}; ${PAGE}`)
  }
  if (denied.length > 0) {
    return warning('rights', 'the user may not run INFO: the registry notices a fail-over less surely',
      `ACL SETUSER … +info; ${PAGE}`)
  }
  return ok('rights', `the user may run all ${PROBES.length} commands of the scripts`)
}

function judgeWrites (failed: Failure[]): Finding[] {
  const [code] = failed.flatMap(([, error]) => NO_WRITES.exec(error)?.[1] ?? [])
  if (code === undefined) return []
  return [fault('rights', `Redis refuses writes now: ${code}`, 'see CobrowseRegistryDown in docs/runbook.md')]
}

/** Redis refused the script as a whole. */
function judgeScript (error: Error, prefix: string): Finding {
  const { message } = error
  if (DENIED_KEY.test(message)) {
    return fault('rights', `the user may not use all keys of ${prefix}`, `ACL SETUSER … ~${prefix}:*; ${PAGE}`)
  }
  const [, command] = /NOPERM.*'(eval|evalsha)'/.exec(message) ?? []
  if (command === undefined) throw error
  return fault('rights', `the user may not run ${command.toUpperCase()}`, `ACL SETUSER … +${command}; ${PAGE}`)
}
