import { BEAT, LEAVE, REGISTER } from '../../../dist/lib/registry/redis/scripts/node.js'

const NAMES = new Map(Object.entries({ BEAT, LEAVE, REGISTER })
  .flatMap(([name, { sha1, text }]) => [[sha1, name], [text, name]]))
/** Positions of the lease and the member, after the keys. */
const LEASE = 2
const MEMBER = 5

/** Creates an ioredis client that records the store's promises to a node. */
export function noteRegistrations (redis, note) {
  let calls = 0

  async function run (method, script, keys, ...given) {
    const name = NAMES.get(script)
    if (name === undefined) return await redis[method](script, keys, ...given)
    // The id contains that of the process, since a restarted process counts from the start.
    const call = `${process.pid}-${++calls}`
    const members = given.slice(keys + MEMBER, name === 'LEAVE' ? undefined : keys + MEMBER + 1)
    // A sent command may be executed, whether or not it is answered.
    if (name !== 'BEAT') note('sent', { call, script: name, members })
    const answer = await redis[method](script, keys, ...given)
    const [outcome, now] = [answer].flat()
    if (outcome === 'ok' && name !== 'LEAVE') note('promised', { call, script: name, member: members[0], from: now, until: now + given[keys + LEASE] })
    else note('answered', { call, script: name, outcome })
    return answer
  }

  return {
    get status () {
      return redis.status
    },
    eval: async (...args) => await run('eval', ...args),
    evalsha: async (...args) => await run('evalsha', ...args),
    on: redis.on.bind(redis),
    off: redis.off.bind(redis)
  }
}
