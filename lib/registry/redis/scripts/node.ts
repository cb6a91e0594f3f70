import { MAX_TOLD, script } from './prelude.js'

/** Functions for nodes. Kinds of claims: 0 for a signature, 1 for a room behind a shut door, 2 for an open room. */
const NODE = `
-- If no heartbeat arrived for a whole lease, the store was unreachable, and other nodes may still return. Their leases
-- show that there are any, unless the store had lost its memory just before.
local function heard()
  if now - beat >= LEASE then
    local others = ask('ZCARD', LEASES) - (ask('ZSCORE', LEASES, MEMBER) and 1 or 0)
    if others > 0 or beat < settledAt then settle(2 * HEARTBEAT, HEARTBEAT) end
  end
  note('beat', ms(now))
  redis.call('HDEL', META, 'quiet')
end

-- The end of the call of a room, or 0. An end in the future was dated before the clock was set back, and counts only
-- for signatures with such dates.
local function endOf(room, date)
  local endedAt = math.abs(tonumber(ask('ZSCORE', ENDED, nameOf(room)) or 0))
  local latest = now + LINGER
  if endedAt > latest and (date <= latest or date > endedAt) then return 0 end
  return endedAt
end

-- Takes a room for this living member. The node numbers its claims: one that arrives after the release of the same or
-- a later number must not take the room again. The date of a claim is that of the signature or, if the room is claimed
-- again, of its opening: a call that ended since is not resumed.
local function claim(room, number, date, life, kind)
  local endedAt = endOf(room, date)
  if date <= endedAt then return 'ended', endedAt end
  local good, era, holder, state, claims = pcall(read, room)
  -- A node with the room open replaces an unreadable binding.
  if not good and kind ~= '2' then error(era, 0) end
  if not good or era ~= epoch then holder = nil end
  if holder and targetOf(state) and idOf(holder) == idOf(MEMBER) then
    -- An operator moves the room away from this node, which may have registered anew since.
    return 'ended', math.max(endedAt, claims)
  elseif holder == MEMBER then
    if state == 'released' and number <= claims then return 'stale', endedAt end
    number = math.max(number, claims)
  elseif holder and alive(holder) then
    return 'elsewhere', endedAt
  elseif kind == '1' and now < yieldUntil and not (holder and idOf(holder) == idOf(MEMBER)) then
    return 'yield', endedAt
  end
  if holder ~= MEMBER or state ~= 'claimed' then recordIfKept(room, 'claimed', MEMBER) end
  bind(room, MEMBER, 'claimed', number, math.max(life, redis.call('PTTL', room)))
  return 'ok', endedAt
end

-- Number and date of each claim are in ARGV from "first" on, the rooms in KEYS from the ninth on. A room that cannot
-- be read affects no other. Answers in pairs: a word, and the latest end of the call or 0.
local function claimAll(life, kind, first)
  local answers = {}
  for i = 9, #KEYS do
    local at = first + 2 * (i - 9)
    local number, date = tonumber(ARGV[at]), tonumber(ARGV[at + 1]) or math.huge
    local good, word, endedAt = pcall(claim, KEYS[i], number, date, life, kind)
    answers[#answers + 1] = good and word or 'failed'
    answers[#answers + 1] = good and endedAt or 0
  end
  return answers
end

-- Forgets the ends that this node knows: key and moment of each are in ARGV from "first" on.
local function forget(first)
  for i = first, #ARGV - 1, 2 do
    redis.pcall('ZREM', UNHEARD, idOf(MEMBER) .. '|' .. ARGV[i] .. '|' .. ARGV[i + 1])
  end
end

-- The order of an operator for this node, as JSON, or ''.
local function order() return ask('HGET', ORDERS, idOf(MEMBER)) or '' end

-- Rooms of this node whose call ended, with the moment. Repeated until the node acknowledges, since answers get lost.
local function ends()
  local id, answers = idOf(MEMBER), {}
  local texts = ask('ZRANGEBYLEX', UNHEARD, '[' .. id .. '|', '(' .. id .. '}', 'LIMIT', 0, ${MAX_TOLD})
  for _, text in ipairs(texts) do
    local room, at = string.match(text, '^[^|]+|([^|]+)|(%d+)$')
    if not at or math.abs(now - tonumber(at)) > LINGER + LEASE then redis.call('ZREM', UNHEARD, text)
    else
      answers[#answers + 1] = room
      answers[#answers + 1] = at
    end
  end
  return answers
end
`

/**
 * Registers a node by a compare-and-set on the incarnation to replace: '' for none, its own in a new epoch.
 *
 * ARGV: member, record, milliseconds a claim lasts, kind of claims, incarnation to replace, then
 * number and date of each claim. Answers {'ok', now, ends, claims, memory, order}; or {'epoch', the present one},
 * {'present', incarnation or ''} if that is not the one to replace, {'lapsed'} if the same incarnation was registered
 * and its lease expired.
 */
export const REGISTER = script(['MEMBER', 'RECORD', 'LIFE', 'KIND', 'REPLACES'], NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
local id, incarnation = string.match(MEMBER, '^([^|]+)|([^|]+)$')
local registered, era = string.match(ask('HGET', IDS, id) or '', '^([^|]+)|([^|]+)$')
-- A registration of another epoch may have been restored by a fail-over, so it does not count.
local present = era == epoch and registered or ''

if present == incarnation or (present == '' and REPLACES == incarnation) then
  -- While the store settles, the lease may be missing because this server lost it.
  if not alive(MEMBER) and not (REPLACES == incarnation and now < settledAt) then return {'lapsed'} end
elseif present ~= REPLACES then
  return {'present', present}
end
if registered and registered ~= incarnation then
  ask('ZREM', LEASES, id .. '|' .. registered)
  ask('HDEL', NODES, id .. '|' .. registered)
end
heard()
ask('HSET', IDS, id, incarnation .. '|' .. epoch)
ask('HSET', NODES, MEMBER, RECORD)
ask('ZADD', LEASES, ms(now + LEASE), MEMBER)
return {'ok', now, ends(), claimAll(tonumber(LIFE), KIND, FURTHER), remember(), order()}
`)

/**
 * ARGV: member, record, milliseconds a claim lasts, kind of claims, then number and date of
 * each, then the ends of the previous answer, unchanged. Answers {'ok', now, ends, claims,
 * memory, order}, {'epoch', the present one} or {'lapsed'}.
 */
export const BEAT = script(['MEMBER', 'RECORD', 'LIFE', 'KIND'], NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
heard()
redis.call('ZADD', LEASES, ms(now + LEASE), MEMBER)
ask('HSET', NODES, MEMBER, RECORD)
-- Nodes that never returned are removed a minute later, a few at a time, since no caller waits for it.
local latest = now < settledAt and '(-inf' or ms(now - LEASE - 60000)
local dead = redis.call('ZRANGEBYSCORE', LEASES, '-inf', latest, 'LIMIT', 0, 16)
for _, member in ipairs(dead) do
  local id, incarnation = string.match(member, '^([^|]+)|([^|]+)$')
  redis.call('ZREM', LEASES, member)
  redis.call('HDEL', NODES, member)
  if id and isRegistered(id, incarnation) then forgetId(id) end
end
forget(FURTHER + 2 * (#KEYS - 8))
return {'ok', now, ends(), claimAll(tonumber(LIFE), KIND, FURTHER), remember(), order()}
`)

/**
 * ARGV: member, milliseconds a claim lasts, kind of claims, then number and date of each.
 * Answers {'ok', now, {}, claims, memory}, {'epoch', the present one} or {'lapsed'}.
 */
export const CLAIM_ROOMS = script(['MEMBER', 'LIFE', 'KIND'], NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
note()
return {'ok', now, {}, claimAll(tonumber(LIFE), KIND, FURTHER), remember()}
`)

/** ARGV: members. */
export const LEAVE = script([], `
for i = FURTHER, #ARGV do
  local id, incarnation = string.match(ARGV[i], '^([^|]+)|([^|]+)$')
  redis.pcall('ZREM', LEASES, ARGV[i])
  redis.pcall('HDEL', NODES, ARGV[i])
  if isRegistered(id, incarnation) then forgetId(id) end
end
return 'ok'
`)

/** Releases a room whose last client left. ARGV: member, number of the last claim. */
export const RELEASE = script(['MEMBER', 'NUMBER'], `
if KNOWN ~= epoch then return 0 end
local era, member, state, claims = read(ROOM)
local number = tonumber(NUMBER)
-- A late release must not cut a newer claim, or a move.
if era ~= epoch or member ~= MEMBER or claims > number or targetOf(state) then return 0 end
bind(ROOM, member, 'released', number, LINGER + LEASE)
if state ~= 'released' then recordIfKept(ROOM, 'released', member) end
return 1
`)
