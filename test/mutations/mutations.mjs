const SCRIPT = 'lib/registry/redis-script.ts'
const GATEWAY = 'lib/registry/redis-gateway-scripts.ts'
const NODE = 'lib/registry/redis-node-scripts.ts'
const MEMBERSHIP = 'lib/registry/redis-membership.ts'
const SIMULATION = ['test/simulation/simulation.test.ts']

/** `find` stands once in the file. */
export const MUTATIONS = [
  {
    name: 'no linger after the last client',
    file: NODE,
    find: "bind(ROOM, member, 'released', number, releasedAt, LINGER + LEASE)",
    replace: "redis.call('DEL', ROOM)",
    tests: SIMULATION
  },
  {
    name: 'the linger forgets the skew',
    file: GATEWAY,
    find: 'local life, longest = LINGER + LEASE,',
    replace: 'local life, longest = 10000,',
    tests: SIMULATION
  },
  {
    name: 'no new incarnation after a lapse',
    file: MEMBERSHIP,
    find: "if (kind === 'anew') pending ??= newIncarnation()",
    replace: "if (kind === 'anew') pending ??= incarnation",
    tests: ['test/registry/redis-membership.test.ts', ...SIMULATION]
  },
  {
    name: 'no compare-and-set on the incarnation',
    file: NODE,
    find: 'elseif present ~= replaces then',
    replace: 'elseif false then',
    tests: ['test/registry/redis-membership.test.ts', ...SIMULATION]
  },
  {
    name: 'a claim is granted whoever holds the room',
    file: NODE,
    find: 'elseif holder and alive(holder) then',
    replace: 'elseif false then',
    tests: SIMULATION
  },
  {
    name: 'a claim is granted to a dead member',
    file: NODE,
    find: "if not alive(MEMBER) then return {'lapsed'} end\nreturn {'ok', now, {}, claimAll",
    replace: "return {'ok', now, {}, claimAll",
    tests: SIMULATION
  },
  {
    name: 'no claim at join',
    file: MEMBERSHIP,
    find: 'return await claimOne({ ...room }, key, issuedAtMs, signal)',
    replace: "held.open(key, { ...room }, ++claims)\n      return 'ok'",
    tests: SIMULATION
  },
  {
    name: 'no claims again after the epoch changed',
    file: MEMBERSHIP,
    find: "const keys = kind === 'again' ? held.openKeys() : held.shutKeys()",
    replace: "const keys = kind === 'again' ? [] : held.shutKeys()",
    tests: SIMULATION
  },
  {
    name: 'no epoch: a lost binding is not noticed',
    file: SCRIPT,
    find: 'settle(wait + 2 * HEARTBEAT, wait)\nelseif',
    replace: 'settle(0, 0)\nelseif',
    tests: SIMULATION
  },
  {
    name: 'the replication id is not compared',
    file: SCRIPT,
    find: 'or (replid and meta[2] and replid ~= meta[2]) then',
    replace: 'then',
    tests: SIMULATION
  },
  {
    name: 'bindings of an older epoch hold',
    file: GATEWAY,
    find: 'local function holds(era, member) return era == epoch and alive(member) end',
    replace: 'local function holds(era, member) return alive(member) end',
    tests: SIMULATION
  },
  {
    name: 'a write of an older epoch is taken',
    file: NODE,
    find: "if KNOWN ~= epoch then return {'epoch', epoch} end\nif not alive(MEMBER) then return {'lapsed'} end\nreturn",
    replace: "if not alive(MEMBER) then return {'lapsed'} end\nreturn",
    tests: SIMULATION
  },
  {
    name: 'liveness outside the script: the gateway believes its view',
    file: GATEWAY,
    find: 'if alive(ARGV[i]) and isNamed(ARGV[i]) then',
    replace: 'if true then',
    tests: SIMULATION
  },
  {
    name: 'an answer does not prolong the binding',
    file: GATEWAY,
    find: "redis.call('PEXPIRE', ROOM, ms(math.max(life, redis.call('PTTL', ROOM))))",
    replace: '',
    tests: SIMULATION
  },
  {
    name: 'a silence is a death',
    file: NODE,
    find: 'if others > 0 then settle(2 * HEARTBEAT, HEARTBEAT) end',
    replace: '',
    tests: SIMULATION
  },
  {
    name: 'returning nodes do not yield while the store settles',
    file: NODE,
    find: 'elseif yields and now < yieldUntil and',
    replace: 'elseif false and',
    tests: SIMULATION
  },
  {
    name: 'a late release cuts a newer claim',
    file: NODE,
    find: 'or claims > number then return 0 end',
    replace: 'then return 0 end',
    tests: ['test/registry/redis-membership.test.ts', ...SIMULATION]
  },
  {
    name: 'a signature from before the release opens the room again',
    file: NODE,
    find: "issuedAt and issuedAt <= endedAt or not issuedAt and state == 'released'",
    replace: 'false',
    tests: SIMULATION
  },
  {
    name: 'the node does not hear of a release',
    file: MEMBERSHIP,
    find: "if (Number(held.get(key)?.number) <= number) endRoom(key, 'released')",
    replace: '',
    tests: ['test/registry/redis.test.ts', ...SIMULATION]
  },
  {
    name: 'an unacknowledged registration is forgotten',
    file: MEMBERSHIP,
    find: "if (pending !== undefined) return await register('anew')",
    replace: '',
    tests: SIMULATION
  },
  {
    name: 'a room whose node lost it stays open',
    file: MEMBERSHIP,
    find: "else if (word === 'elsewhere') endRoom(key, 'lost')\n      else if",
    replace: "else if (word === 'elsewhere') held.remove(key)\n      else if",
    tests: SIMULATION
  },
  {
    name: 'doors stay open after a lapse',
    file: 'lib/registry/held-rooms.ts',
    find: 'for (const held of rooms.values()) held.isShut = true',
    replace: '',
    tests: SIMULATION
  },
  {
    name: 'the lease is measured from the answer',
    file: MEMBERSHIP,
    find: 'lease.renew(sentAt)',
    replace: 'lease.renew(momentOf(clock))',
    tests: SIMULATION
  },
  {
    name: 'only one clock is asked for the lease',
    file: 'lib/registry/lease.ts',
    find: ' && clock.wall() - wall < certainMs',
    replace: '',
    tests: ['test/registry/redis-membership.test.ts']
  }
]
