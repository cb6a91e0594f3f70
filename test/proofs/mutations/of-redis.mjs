const SCRIPT = 'lib/registry/redis/scripts/prelude.ts'
const GATEWAY = 'lib/registry/redis/scripts/gateway.ts'
const NODE = 'lib/registry/redis/scripts/node.ts'
const MEMBERSHIP = 'lib/registry/membership/membership.ts'
const REGISTRATION = 'lib/registry/membership/registration.ts'
const CLAIMS = 'lib/registry/membership/room-claims.ts'
const ON_CONTRACT = ['test/registry/redis.test.ts']
const ON_MEMBERSHIP = ['test/registry/redis/membership.test.ts']
const ON_ENDED_CALLS = ['test/registry/redis/ended-calls.test.ts']
const ON_EPOCH = ['test/registry/redis/epoch.test.ts']
const ON_SHARES = ['test/registry/redis/eviction.test.ts']
const ON_CLOCK = ['test/registry/redis/clock.test.ts']
const ON_MEMORY = ['test/registry/redis/memory.test.ts']
const ON_TIMES = ['test/registry/redis/times.test.ts']
const ON_DAMAGE = ['test/registry/redis/damage.test.ts']
/** The simulation meets the cases of other tests by chance. Two breakages check that it notices anything at all. */
const IN_SIMULATION = ['test/proofs/simulation/two-nodes.test.ts']

export const OF_REDIS = [
  {
    name: 'no linger after the last client',
    file: NODE,
    find: "bind(ROOM, member, 'released', number, LINGER + LEASE)",
    replace: "redis.call('DEL', ROOM)",
    tests: IN_SIMULATION
  },
  {
    name: 'the linger forgets the skew',
    file: GATEWAY,
    find: 'local life, longest = LINGER + LEASE,',
    replace: 'local life, longest = 10000,',
    tests: ON_CONTRACT
  },
  {
    name: 'no new incarnation after a lapse',
    file: REGISTRATION,
    find: "if (kind === 'renewed') pending ??= newIncarnation()",
    replace: "if (kind === 'renewed') pending ??= incarnation",
    also: {
      file: NODE,
      find: "if not alive(MEMBER) and not (REPLACES == incarnation and now < settledAt) then return {'lapsed'} end",
      replace: 'local _ = nil'
    },
    tests: ON_MEMBERSHIP
  },
  {
    name: 'no compare-and-set on the incarnation',
    file: NODE,
    find: 'elseif present ~= REPLACES then',
    replace: 'elseif false then',
    tests: ON_CONTRACT
  },
  {
    name: 'a claim is granted although another node holds the room',
    file: NODE,
    find: 'elseif holder and alive(holder) then',
    replace: 'elseif false then',
    tests: ON_MEMBERSHIP
  },
  {
    name: 'a claim is granted to a dead member',
    file: NODE,
    find: "if not alive(MEMBER) then return {'lapsed'} end\nnote()",
    replace: 'note()',
    tests: ON_MEMBERSHIP
  },
  {
    name: 'no claim at join',
    file: MEMBERSHIP,
    find: 'return await claimOne(async () => await rooms.claim({ ...room }, key, issuedAtMs, signal))',
    replace: "rooms.held.open(key, { ...room }, 1, 1)\n      return 'ok'",
    tests: ON_CONTRACT
  },
  {
    name: 'no claims again after the epoch changed',
    file: MEMBERSHIP,
    find: "const keys = kind === 'again' ? rooms.held.openKeys() : rooms.held.shutKeys()",
    replace: "const keys = kind === 'again' ? [] : rooms.held.shutKeys()",
    // The rolling share of each heartbeat claims the rooms as well, a moment later.
    also: {
      file: CLAIMS,
      find: 'claimShare(isFull ? open : open.slice(0, store.claimsAgain(open.length)))',
      replace: ''
    },
    tests: ON_EPOCH
  },
  {
    name: 'no epoch: a lost binding is not noticed',
    file: SCRIPT,
    find: 'settleAgain()\nelseif',
    replace: 'settledAt, yieldUntil = 0, 0\nelseif',
    tests: ON_EPOCH
  },
  {
    name: 'the replication id is not compared',
    file: SCRIPT,
    find: 'or (replid and meta[2] and replid ~= meta[2]) or',
    replace: 'or',
    tests: ON_EPOCH
  },
  {
    name: 'bindings of an older epoch hold',
    file: GATEWAY,
    find: 'local function isCurrent(era) return era == epoch end',
    replace: 'local function isCurrent() return true end',
    tests: ON_EPOCH
  },
  {
    name: 'a write of an older epoch is taken',
    file: NODE,
    find: "if KNOWN ~= epoch then return {'epoch', epoch} end\nif not alive(MEMBER) then return {'lapsed'} end\nnote()",
    replace: "if not alive(MEMBER) then return {'lapsed'} end\nnote()",
    tests: ON_MEMBERSHIP
  },
  {
    name: 'a gateway with an old view gives a room to a node under an order',
    file: GATEWAY,
    find: ' and not isOrdered(member) end',
    replace: ' end',
    tests: ['test/registry/redis.test.ts']
  },
  {
    name: 'liveness outside the script: the gateway believes its view',
    file: GATEWAY,
    find: 'if not isLeft and mayTake(ARGV[i]) then',
    replace: 'if true then',
    tests: IN_SIMULATION
  },
  {
    name: 'an answer does not prolong the binding',
    file: GATEWAY,
    find: "redis.call('PEXPIRE', room, ms(math.max(life, redis.call('PTTL', room))))",
    replace: '',
    tests: ON_CONTRACT
  },
  {
    name: 'a silence is a death',
    file: NODE,
    find: 'if others > 0 or beat < settledAt then settle(2 * HEARTBEAT, HEARTBEAT) end',
    replace: '',
    tests: ON_EPOCH
  },
  {
    name: 'returning nodes do not yield while the store settles',
    file: NODE,
    find: "elseif kind == '1' and now < yieldUntil and",
    replace: 'elseif false and',
    tests: ON_EPOCH
  },
  {
    name: 'a late release cuts a newer claim',
    file: NODE,
    find: 'or claims > number or targetOf(state) then return 0 end',
    replace: 'then return 0 end',
    tests: ON_MEMBERSHIP
  },
  {
    name: 'a signature from before the end of the call opens the room again',
    file: NODE,
    find: "if date <= endedAt then return 'ended', endedAt end",
    replace: '',
    tests: ON_CONTRACT
  },
  {
    name: 'ends of calls outlive the node that was not told',
    file: 'lib/registry/redis/scripts/prelude.ts',
    find: "  ask('ZREMRANGEBYLEX', UNHEARD, '[' .. id .. '|', '(' .. id .. '}')",
    replace: '',
    tests: ON_ENDED_CALLS
  },
  {
    name: 'the end of a call is kept for a node that is dead',
    file: 'lib/registry/redis/scripts/gateway.ts',
    find: "if state == 'claimed' and alive(member) then",
    replace: "if state == 'claimed' then",
    tests: ON_ENDED_CALLS
  },
  {
    name: 'ends of calls without a room push out those of calls that had one',
    file: 'lib/registry/redis/scripts/gateway.ts',
    find: 'local sign = (text or before > 0) and 1 or -1',
    replace: 'local sign = -1',
    tests: ON_ENDED_CALLS
  },
  {
    name: 'a client stays at a server that is a replica now',
    file: 'lib/common/redis-state.ts',
    find: '  redis.disconnect(true)',
    replace: '',
    tests: ['test/registry/redis/fail-over.test.ts']
  },
  {
    name: 'listed nodes are looked for without the prefix of the client',
    file: 'lib/registry/redis/listed.ts',
    find: 'given.startsWith(before) ? given : before + given',
    replace: 'given.startsWith(before) ? given : given',
    tests: ['test/registry/redis/listed.test.ts']
  },
  {
    name: 'the node does not confirm the ends of calls',
    file: 'lib/registry/redis/node-store.ts',
    find: '...toArgs(claims), ...told]',
    replace: '...toArgs(claims)]',
    tests: ON_ENDED_CALLS
  },
  {
    name: 'the store repeats confirmed ends of calls',
    file: NODE,
    find: 'forget(FURTHER + 2 * (#KEYS - 8))',
    replace: '',
    tests: ON_ENDED_CALLS
  },
  {
    name: 'the node does not hear of the end of a call',
    file: CLAIMS,
    find: 'for (const { key, at } of answer.ends) hearEnd(key, at)',
    replace: '',
    tests: ON_ENDED_CALLS
  },
  {
    name: 'an unacknowledged registration is forgotten',
    file: MEMBERSHIP,
    find: "if (registration.isPending()) return await register('renewed')",
    replace: '',
    tests: ON_MEMBERSHIP
  },
  {
    name: 'a room whose node lost it stays open',
    file: CLAIMS,
    find: "else if (word === 'elsewhere') endRoom(key, 'lost')\n      else if (word === 'ended')",
    replace: "else if (word === 'elsewhere') held.remove(key)\n      else if (word === 'ended')",
    tests: ON_MEMBERSHIP
  },
  {
    name: 'doors stay open after a lapse',
    file: 'lib/registry/membership/held-rooms.ts',
    find: 'for (const held of rooms.values()) held.isShut = true',
    replace: '',
    tests: ON_MEMBERSHIP
  },
  {
    name: 'the lease is measured from the answer',
    file: MEMBERSHIP,
    find: 'lease.renew(answer.since ?? sentAt)',
    replace: 'lease.renew(momentOf(clock))',
    tests: ON_MEMBERSHIP
  },
  {
    name: 'only one clock is asked for the lease',
    file: 'lib/registry/membership/lease.ts',
    find: ' && clock.wall() - wall < certainMs()',
    replace: '',
    tests: ON_MEMBERSHIP
  },
  {
    name: 'a store that had not settled before it fell silent does not settle',
    file: NODE,
    find: 'if others > 0 or beat < settledAt then',
    replace: 'if others > 0 then',
    tests: ON_EPOCH
  },
  {
    name: 'the shorter times of two processes are in force',
    file: SCRIPT,
    find: 'local longest = math.max(math.min(own, limit), held)',
    replace: 'local longest = own',
    tests: ON_TIMES
  },
  {
    name: 'a settling that began by shorter times is not prolonged',
    file: SCRIPT,
    find: ' or (isLonger and now < settledAt) then',
    replace: ' then',
    tests: ON_TIMES
  },
  {
    name: 'a store that forgot the times does not hear them from a process that remembers',
    file: SCRIPT,
    find: 'math.min(whole(remembered) or 0, limit), 0',
    replace: '0, 0',
    tests: ON_TIMES
  },
  {
    name: 'a store that was set back to older data notices nothing',
    file: SCRIPT,
    find: ' or remembered > mark then',
    replace: ' then',
    tests: ON_MEMORY
  },
  {
    name: 'each caller that remembers more begins its own epoch',
    file: SCRIPT,
    find: 'math.max(mark, remembered, now) + 60000',
    replace: 'now',
    tests: ON_MEMORY
  },
  {
    name: 'one write after a loss hides all that were lost',
    file: SCRIPT,
    find: '  mark = mark + 1',
    replace: '  mark = math.max(mark + 1, now)',
    tests: ON_MEMORY
  },
  {
    name: 'a new room does not count as written',
    file: GATEWAY,
    find: 'if not isNoted then note() end',
    replace: '',
    tests: ON_MEMORY
  },
  {
    name: 'one unreadable binding fails the other rooms of its call',
    file: GATEWAY,
    find: "if not good then return 'failed', type(era) == 'table' and era.err or era end",
    replace: 'if not good then error(era, 0) end',
    tests: ['test/registry/redis/together.test.ts']
  },
  {
    name: 'rooms of one call get the candidates of another',
    file: GATEWAY,
    find: 'at = last + 2',
    replace: '',
    tests: ['test/registry/redis/together.test.ts']
  },
  {
    name: 'no open room is claimed again',
    file: CLAIMS,
    find: 'claimShare(isFull ? open : open.slice(0, store.claimsAgain(open.length)))',
    replace: '',
    tests: ON_SHARES
  },
  {
    name: 'the same open rooms are claimed again and again',
    file: CLAIMS,
    find: 'for (const { key } of claims.rooms) held.putLast(key)',
    replace: '',
    tests: ON_SHARES
  },
  {
    name: 'an unreadable binding never ends',
    file: SCRIPT,
    find: "if left < 0 or left > life then redis.call('PEXPIRE', room, ms(life)) end",
    replace: '',
    tests: ON_DAMAGE
  },
  {
    name: 'an unreadable binding of an open room stays',
    file: NODE,
    find: "if not good and kind ~= '2' then",
    replace: 'if not good then',
    tests: ON_DAMAGE
  },
  {
    name: 'a lease from before the clock was set back lasts',
    file: SCRIPT,
    find: "  redis.call('ZADD', LEASES, ms(now + LEASE), member)\n  return now + LEASE",
    replace: '  return ends',
    tests: ON_CLOCK
  },
  {
    name: 'a heartbeat from before the clock was set back hides a silence',
    file: SCRIPT,
    find: 'if beat > now then',
    replace: 'if false then',
    tests: ON_CLOCK
  },
  {
    name: 'the end of a call from before the clock was set back rejects the next one',
    file: NODE,
    find: 'if endedAt > latest and (date <= latest or date > endedAt) then return 0 end',
    replace: '',
    tests: ON_CLOCK
  },
  {
    name: 'a room from before the clock was set back outlives its call',
    file: CLAIMS,
    find: 'held.redate(now + store.times.heartbeat, lastAnswer)',
    replace: '',
    tests: ON_CLOCK
  },
  {
    name: 'an epoch with a bar in it is accepted',
    file: SCRIPT,
    find: " or string.find(epoch, '[^%w_-]') or",
    replace: ' or',
    tests: ON_DAMAGE
  },
  {
    name: 'damaged numbers of the store count as none',
    file: SCRIPT,
    find: 'number and number >= 0 and number < 1e15 and number % 1 == 0 and number or nil',
    replace: 'number or 0',
    tests: ON_DAMAGE
  },
  {
    name: 'a key of a wrong type stays',
    file: SCRIPT,
    find: "redis.call('DEL', key)\n  if key ~= LEASES",
    replace: 'if key ~= LEASES',
    tests: ON_DAMAGE
  },
  {
    name: 'nodes that vanish at once are dead',
    file: GATEWAY,
    find: 'return vanished >= 2 and',
    replace: 'return false and',
    tests: ON_EPOCH
  },
  {
    name: 'a node that lapsed by its own clock never resumes',
    file: MEMBERSHIP,
    find: 'if (registration.isPending()) return',
    replace: 'if (registration.isPending() || !lease.valid()) return',
    tests: ON_EPOCH
  },
  {
    name: 'a moved room is given to another node before its node gave it up',
    file: GATEWAY,
    find: "if target and isLeaving(room, member, claims) then return 'settling', 0 end",
    replace: '',
    tests: ON_CONTRACT
  },
  {
    name: 'a node takes a moved room back',
    file: NODE,
    find: 'if holder and targetOf(state) and idOf(holder) == idOf(MEMBER) then',
    replace: 'if false then',
    tests: IN_SIMULATION
  },
  {
    name: 'a moved room returns to its node',
    file: GATEWAY,
    find: 'local isLeft = target and idOf(ARGV[i]) == idOf(left)',
    replace: 'local isLeft = false',
    tests: ON_CONTRACT
  },
  {
    name: 'a node is not told of a move',
    file: 'lib/registry/redis/scripts/operator.ts',
    find: "ask('ZADD', UNHEARD, 0, toUnheard(ROOM, member, now))",
    replace: '',
    tests: ON_CONTRACT
  }
]
