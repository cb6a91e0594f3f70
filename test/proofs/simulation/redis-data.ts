import { between, within } from './redis-bounds.js'

/** Answer of a command. */
export type Reply = string | number | null | Reply[]

type Value =
  | { type: 'string', text: string, endsAt: number }
  | { type: 'hash', fields: Map<string, string> }
  | { type: 'zset', scores: Map<string, number> }
  | { type: 'stream', entries: Entry[] }

type Entry = [id: number, fields: string[]]

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

/** Implements the commands of our scripts, with a clock that only the simulation advances. */
export class RedisData {
  readonly #now: () => number
  #keys = new Map<string, Value>()
  replid = 'a'.repeat(40)

  constructor (now: () => number) {
    this.#now = now
  }

  /** @returns a function that restores the present data */
  snapshot (): () => void {
    const keys = structuredClone(this.#keys)
    return () => { this.#keys = keys }
  }

  flush (): void {
    this.#keys.clear()
  }

  /** @throws Error with the text of Redis */
  run (name: string, args: string[]): Reply {
    const command = this.#commands[name.toUpperCase()]
    if (command === undefined) throw defect(`ERR Unknown Redis command called from script: ${name}`)
    return command(...args)
  }

  #find (key: string): Value | undefined {
    const value = this.#keys.get(key)
    if (value?.type !== 'string' || value.endsAt > this.#now()) return value
    this.#keys.delete(key)
    return undefined
  }

  #string (key: string): Extract<Value, { type: 'string' }> | undefined {
    const value = this.#find(key)
    if (value === undefined || value.type === 'string') return value
    throw new Error(WRONGTYPE)
  }

  #hash (key: string, make = false): Map<string, string> {
    const value = this.#find(key)
    if (value?.type === 'hash') return value.fields
    if (value !== undefined) throw new Error(WRONGTYPE)
    const fields = new Map<string, string>()
    if (make) this.#keys.set(key, { type: 'hash', fields })
    return fields
  }

  #zset (key: string, make = false): Map<string, number> {
    const value = this.#find(key)
    if (value?.type === 'zset') return value.scores
    if (value !== undefined) throw new Error(WRONGTYPE)
    const scores = new Map<string, number>()
    if (make) this.#keys.set(key, { type: 'zset', scores })
    return scores
  }

  #stream (key: string, make = false): Entry[] {
    const value = this.#find(key)
    if (value?.type === 'stream') return value.entries
    if (value !== undefined) throw new Error(WRONGTYPE)
    const entries: Entry[] = []
    if (make) this.#keys.set(key, { type: 'stream', entries })
    return entries
  }

  #dropEmpty (key: string, size: number): void {
    if (size === 0) this.#keys.delete(key)
  }

  #sorted (key: string): Array<[string, number]> {
    return [...this.#zset(key)].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
  }

  readonly #commands: Record<string, (...args: string[]) => Reply> = {
    TIME: () => [String(Math.floor(this.#now() / 1000)), String((this.#now() % 1000) * 1000)],
    INFO: () => `# Replication\r\nrole:master\r\nmaster_replid:${this.replid}\r\n`,
    DEL: (...keys) => keys.filter((key) => this.#keys.delete(key)).length,
    EXISTS: (...keys) => keys.filter((key) => this.#find(key) !== undefined).length,
    GET: (key = '') => this.#string(key)?.text ?? null,
    SET: (key = '', text = '', _px = '', ms = '') => {
      this.#keys.set(key, { type: 'string', text, endsAt: _px === '' ? Infinity : this.#now() + Number(ms) })
      return 'OK'
    },
    PTTL: (key = '') => {
      const value = this.#find(key)
      if (value === undefined) return -2
      return value.type === 'string' && value.endsAt < Infinity ? value.endsAt - this.#now() : -1
    },
    PEXPIRE: (key = '', ms = '') => {
      const value = this.#find(key)
      if (value === undefined) return 0
      if (value.type === 'string') value.endsAt = this.#now() + Number(ms)
      return 1
    },
    HMGET: (key = '', ...names) => names.map((name) => this.#hash(key).get(name) ?? null),
    HGET: (key = '', name = '') => this.#hash(key).get(name) ?? null,
    HSTRLEN: (key = '', name = '') => this.#hash(key).get(name)?.length ?? 0,
    HLEN: (key = '') => this.#hash(key).size,
    HGETALL: (key = '') => [...this.#hash(key)].flat(),
    HEXISTS: (key = '', name = '') => Number(this.#hash(key).has(name)),
    HSET: (key = '', ...pairs) => {
      const fields = this.#hash(key, true)
      const before = fields.size
      for (let at = 0; at < pairs.length; at += 2) fields.set(pairs[at] ?? '', pairs[at + 1] ?? '')
      return fields.size - before
    },
    HSETNX: (key = '', name = '', value = '') => {
      const fields = this.#hash(key, true)
      if (fields.has(name)) return 0
      fields.set(name, value)
      return 1
    },
    HDEL: (key = '', ...names) => {
      const fields = this.#hash(key)
      const count = names.filter((name) => fields.delete(name)).length
      this.#dropEmpty(key, fields.size)
      return count
    },
    XADD: (key = '', _maxLength = '', _about = '', most = '', _id = '', ...fields) => {
      const entries = this.#stream(key, true)
      const id = (entries.at(-1)?.[0] ?? 0) + 1
      entries.push([id, fields])
      // Redis trims a stream now and then as well.
      if (entries.length > 2 * Number(most)) entries.splice(0, entries.length - Number(most))
      return String(id)
    },
    XREVRANGE: (key = '', from = '', _to = '', _count = '', count = '') => {
      const isBefore = within('-inf', from === '+' ? '+inf' : from)
      const page = this.#stream(key).filter(([id]) => isBefore(id)).reverse().slice(0, Number(count))
      return page.map(([id, fields]) => [String(id), fields])
    },
    ZSCORE: (key = '', member = '') => this.#zset(key).get(member)?.toString() ?? null,
    ZCARD: (key = '') => this.#zset(key).size,
    ZADD: (key = '', score = '', member = '') => {
      const scores = this.#zset(key, true)
      const isNew = !scores.has(member)
      scores.set(member, Number(score))
      return Number(isNew)
    },
    ZREM: (key = '', ...members) => {
      const scores = this.#zset(key)
      const count = members.filter((member) => scores.delete(member)).length
      this.#dropEmpty(key, scores.size)
      return count
    },
    ZCOUNT: (key = '', min = '', max = '') => [...this.#zset(key).values()].filter(within(min, max)).length,
    ZRANGEBYSCORE: (key = '', min = '', max = '', ...options) => {
      const isWithin = within(min, max)
      const found = this.#sorted(key).filter(([, score]) => isWithin(score))
      const limit = options.indexOf('LIMIT')
      const [skip, count] = limit < 0 ? [0, found.length] : [Number(options[limit + 1]), Number(options[limit + 2])]
      const page = found.slice(skip, skip + count)
      return options.includes('WITHSCORES')
        ? page.flatMap(([member, score]) => [member, String(score)])
        : page.map(([member]) => member)
    },
    ZRANGEBYLEX: (key = '', min = '', max = '', _limit = '', skip = '0', count = '1000000') => {
      const found = this.#sorted(key).map(([member]) => member).filter(between(min, max))
      return found.slice(Number(skip), Number(skip) + Number(count))
    },
    ZREMRANGEBYSCORE: (key = '', min = '', max = '') => {
      const scores = this.#zset(key)
      const isWithin = within(min, max)
      const gone = [...scores].filter(([member, score]) => isWithin(score) && scores.delete(member))
      this.#dropEmpty(key, scores.size)
      return gone.length
    },
    ZREMRANGEBYRANK: (key = '', first = '', last = '') => {
      const scores = this.#zset(key)
      const gone = this.#sorted(key).slice(Number(first), Number(last) + 1)
      for (const [member] of gone) scores.delete(member)
      this.#dropEmpty(key, scores.size)
      return gone.length
    },
    ZREMRANGEBYLEX: (key = '', min = '', max = '') => {
      const scores = this.#zset(key)
      const count = [...scores.keys()].filter(between(min, max)).filter((member) => scores.delete(member)).length
      this.#dropEmpty(key, scores.size)
      return count
    }
  }
}

/** Fails the process as well, since the project's code survives whatever a store answers. */
export function defect (what: string): Error {
  const error = new Error(what)
  setImmediate(() => { throw error })
  return error
}
