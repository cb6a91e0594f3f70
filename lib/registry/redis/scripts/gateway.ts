import { REMEMBER_ENDS_MS } from '../../membership/ended-rooms.js'
import { script } from './prelude.js'

/** Functions for nodes that keep a lease. */
const LEASED = `
-- For a while after a time without any heartbeat, a missing heartbeat is no reason to consider a node dead.
local function isSilent()
  if beat == 0 or now - beat < LEASE or ask('ZCARD', LEASES) == 0 then return false end
  if quiet == 0 or quiet > now then
    quiet = now
    redis.call('HSET', META, 'quiet', ms(quiet))
  end
  return now - quiet < 2 * HEARTBEAT
end

-- If more nodes vanish at once than are left, and at least two, the network is the likelier cause.
local function haveManyVanished()
  local vanished = ask('ZCOUNT', LEASES, ms(now - LEASE - HEARTBEAT), ms(now))
  return vanished >= 2 and vanished > ask('ZCOUNT', LEASES, '(' .. ms(now), '+inf')
end
-- A node that left has withdrawn its lease; a node that vanished is still on the list.
local function isInDoubt(member) return ask('ZSCORE', LEASES, member) and haveManyVanished() end

local function lengthOf(member) return redis.pcall('HSTRLEN', NODES, member) end
local function textOf(member) return redis.call('HGET', NODES, member) end
-- Without a record in the store no other gateway could name the node, and the two sides would not meet.
local function isNamed(member) return redis.call('HEXISTS', NODES, member) == 1 end
-- In a new epoch the node of a room claims the room again.
local function isCurrent(era) return era == epoch end
`

/** Functions for nodes that another program lists, in a hash or in one key per node: they live while listed. */
const LISTED = `
local function isSilent() return false end
local function isInDoubt() return false end
local function lengthOf(member)
  if HASH ~= '' then return redis.pcall('HSTRLEN', HASH, idOf(member)) end
  return redis.pcall('STRLEN', KEY_PREFIX .. idOf(member))
end
local function textOf(member)
  if HASH ~= '' then return redis.call('HGET', HASH, idOf(member)) end
  return redis.call('GET', KEY_PREFIX .. idOf(member))
end
local function alive(member)
  local length = lengthOf(member)
  return type(length) == 'number' and length > 0
end
local function isNamed() return true end
-- Listed nodes claim no rooms, so the binding of an older epoch is the best information there is.
local function isCurrent() return true end
`

const ASSIGN_BODY = `
local life, longest = LINGER + LEASE, tonumber(LONGEST)

-- Many rooms of one call are on the same node.
local look, lives = alive, {}
local function alive(member)
  if lives[member] == nil then lives[member] = look(member) end
  return lives[member]
end

-- The room's node is named even if its record cannot be read: the caller may have an earlier, good record.
local named, places = {}, {}
local function placeOf(member)
  if not places[member] then
    local size = lengthOf(member)
    local isReadable = type(size) == 'number' and size > 0 and size <= longest
    places[member] = #named / 2
    named[#named + 1] = member
    named[#named + 1] = isReadable and textOf(member) or false
  end
  return places[member]
end

local function mayTake(member) return alive(member) and isNamed(member) and not isOrdered(member) end

local isNoted = false
local function give(room, member, choice, instead, dead)
  if not isNoted then note() end
  isNoted = true
  bind(room, member, 'assigned', 0, life)
  -- The target of a move needs no candidates, so the gateway may have had nothing to tell.
  local write = choice ~= '' and record or instead and recordIfKept
  if write then write(room, 'chosen', member, 'choice', choice, 'instead', instead or '', 'dead', dead) end
  return 'chosen', placeOf(member)
end

-- An operator may have moved the room away from a node, and to another one.
local function choose(room, first, last, left, target)
  local choice = ARGV[last + 1]
  local instead = left and (target and 'moved ' or 'died ') .. idOf(left)
  local wanted = target and target ~= '' and memberOf(target)
  if wanted and mayTake(wanted) then return give(room, wanted, choice, instead, 0) end
  for i = first, last do
    local isLeft = target and idOf(ARGV[i]) == idOf(left)
    if not isLeft and mayTake(ARGV[i]) then return give(room, ARGV[i], choice, instead, i - first) end
  end
  return isSilent() and 'settling' or 'none', 0
end

local function assign(room, first, last)
  local good, era, member, state, claims = pcall(read, room)
  -- A binding that cannot be read affects no other room.
  if not good then return 'failed', type(era) == 'table' and era.err or era end
  local target
  if member and isCurrent(era) then
    target = targetOf(state)
    if target and isLeaving(room, member, claims) then return 'settling', 0 end
    if not target and alive(member) then
      -- A claim lasts longer than an assignment and is never cut short. Always write: a demoted primary refuses it.
      redis.call('PEXPIRE', room, ms(math.max(life, redis.call('PTTL', room))))
      return 'bound', placeOf(member)
    end
  end
  if now < settledAt or (member and era == epoch and isInDoubt(member)) then return 'settling', 0 end
  return choose(room, first, last, member and isCurrent(era) and member, target)
end

local answers, at = {}, FURTHER
for i = 9, #KEYS do
  local last = at + tonumber(ARGV[at])
  answers[#answers + 1], answers[#answers + 2] = assign(KEYS[i], at + 1, last)
  at = last + 2
end
return {now, remember(), answers, named}
`

/**
 * Assigns several rooms at once. ARGV: bytes of the longest record that is handed out; then for each room the number of
 * its candidates, up to eight, their members, and what the history is to tell of the choice, '' for nothing. Answers
 * now, a memory, a list of two entries for each room, and a
 * list of the members that it names, each followed by its record or nil. The entries: 'bound' or 'chosen' and the place
 * of the member, counted from 0; 'none'; 'settling' if the room may be in use on some node; or 'failed' and a message.
 */
export const ASSIGN = script(['LONGEST'], LEASED + ASSIGN_BODY)

/** ASSIGN for listed nodes: the name of the hash and the prefix of the keys come before the rest of ARGV. */
export const ASSIGN_LISTED = script(['HASH', 'KEY_PREFIX', 'LONGEST'], LISTED + ASSIGN_BODY)

/**
 * One page of the living nodes, in the order of their leases. A lease that is prolonged between two pages moves to a
 * later one, so nodes may show twice and are not missed.
 *
 * ARGV: lowest lease end ('' for now), how many of that end to skip, page size, bytes of the longest record.
 * Answers the epoch, milliseconds until the store knows which nodes are dead, whether the replication id can be read,
 * a memory, now, the lease; then repeatedly member, lease end, record, and 1 if the node is under an order; the record
 * is a list of its length if it is too long, nil if it is missing.
 */
export const READ_NODES = script(['FROM', 'SKIP', 'COUNT', 'LONGEST'], LEASED + `
local longest = tonumber(LONGEST)
if FROM == '' then FROM = '(' .. ms(now) end
local page = ask('ZRANGEBYSCORE', LEASES, FROM, '+inf', 'WITHSCORES', 'LIMIT', SKIP, COUNT)
local unsureMs = math.max(0, settledAt - now, (isSilent() or haveManyVanished()) and HEARTBEAT or 0)
local hasOrders = ask('HLEN', ORDERS) > 0
local answer = {epoch, unsureMs, replid and 1 or 0, remember(), now, LEASE}
for i = 1, #page, 2 do
  local record = false
  -- A check of the length keeps a huge record from being copied and sent.
  local size = redis.call('HSTRLEN', NODES, page[i])
  if size > longest then record = {size} elseif size > 0 then record = redis.call('HGET', NODES, page[i]) end
  answer[#answer + 1] = page[i]
  answer[#answer + 1] = ms(cutLease(page[i], tonumber(page[i + 1])))
  answer[#answer + 1] = record
  answer[#answer + 1] = hasOrders and isOrdered(page[i]) and 1 or 0
end
return answer
`)

/**
 * One page of the nodes that another program lists.
 *
 * ARGV: name of the hash or '', prefix of the keys or '', cursor, how many, bytes of the longest record.
 * Answers the epoch, remaining milliseconds of the settling, whether the replication id can be read, a memory, the
 * now, the lease, the next cursor; then repeatedly id, record, and 1 if the node is under an order; the record is a
 * list of its length if it is too long.
 */
export const READ_LISTED = script(['HASH', 'KEY_PREFIX', 'CURSOR', 'COUNT', 'LONGEST'], `
local longest = tonumber(LONGEST)
local page
if HASH ~= '' then page = redis.call('HSCAN', HASH, CURSOR, 'COUNT', COUNT)
else
  local pattern = string.gsub(KEY_PREFIX, '[*?%[%]\\\\]', '\\\\%0')
  page = redis.call('SCAN', CURSOR, 'MATCH', pattern .. '*', 'COUNT', COUNT)
end
local hasOrders = ask('HLEN', ORDERS) > 0
local answer = {epoch, math.max(0, settledAt - now), replid and 1 or 0, remember(), now, LEASE, page[1]}
local function tell(id, text)
  if type(text) ~= 'string' then return end
  answer[#answer + 1] = id
  if #text > longest then answer[#answer + 1] = {#text} else answer[#answer + 1] = text end
  answer[#answer + 1] = hasOrders and isOrdered(id) and 1 or 0
end
for i = 1, #page[2], HASH ~= '' and 2 or 1 do
  if HASH ~= '' then tell(page[2][i], page[2][i + 1])
  else tell(string.sub(page[2][i], #KEY_PREFIX + 1), redis.pcall('GET', page[2][i])) end
end
return answer
`)

/** Most ends that are kept for calls with a room. Other ends have a bound of their own, since any caller adds them. */
const MAX_ENDED = 250_000
const MAX_ROOMLESS = 10_000

/**
 * Ends a call. The moment outlives the binding, and needs none: a node that claims the room later learns of the end.
 * Answers 'ok'.
 */
export const END = script([], `
note()
local name, text = nameOf(ROOM), redis.pcall('GET', ROOM)
local before = tonumber(ask('ZSCORE', ENDED, name) or 0)
-- Ends of calls without a room have negative scores, so that they never displace the others.
local sign = (text or before > 0) and 1 or -1
redis.call('ZADD', ENDED, ms(sign * now), name)
redis.call('ZREMRANGEBYSCORE', ENDED, ms(${REMEMBER_ENDS_MS} - now), ms(now - ${REMEMBER_ENDS_MS}))
local roomless = redis.call('ZCOUNT', ENDED, '-inf', 0)
local oldest = redis.call('ZCARD', ENDED) - ${MAX_ENDED} - 1
if oldest >= roomless then redis.call('ZREMRANGEBYRANK', ENDED, roomless, oldest) end
if roomless > ${MAX_ROOMLESS} then redis.call('ZREMRANGEBYRANK', ENDED, ${MAX_ROOMLESS}, roomless - 1) end
local era, member, state, claims = read(ROOM)
if member then recordIfKept(ROOM, 'ended', member) end
-- A moving room keeps waiting for its node, which closes it anyway.
if era ~= epoch or targetOf(state) then return 'ok' end
-- A node without a lease claims its rooms again, and learns of the end then.
if state == 'claimed' and alive(member) then ask('ZADD', UNHEARD, 0, toUnheard(ROOM, member, now)) end
bind(ROOM, member, 'released', claims, LINGER + LEASE)
return 'ok'
`)

/** Answers the name of the policy, '' for a user without access to it. Scripts may not ask CONFIG. */
export const EVICTION_POLICY = script([], `
local memory = redis.pcall('INFO', 'memory')
return type(memory) == 'string' and string.match(memory, 'maxmemory_policy:([%w-]+)') or ''
`)
