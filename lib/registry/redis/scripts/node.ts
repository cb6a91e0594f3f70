import { MAX_TOLD, script } from './prelude.js'

/** Claims are of a kind: 0 for a signature that was shown, 1 for a room behind a shut door, 2 for one that is open. */
const NODE = `
local MEMBER = ARGV[6]

-- Where the store heard from nobody for a whole lease it was the store that was away: others may come back yet. It
-- knows of them by their leases, unless it had lost its memory just before.
local function heard()
  if now - beat >= LEASE then
    local others = ask('ZCARD', LEASES) - (ask('ZSCORE', LEASES, MEMBER) and 1 or 0)
    if others > 0 or beat < settledAt then settle(2 * HEARTBEAT, HEARTBEAT) end
  end
  note('beat', ms(now))
  redis.call('HDEL', META, 'quiet')
end

-- When the call of a room ended, or 0. An end in the future is from before the clock was set back: it is that of
-- signatures with such dates only.
local function endOf(room, date)
  local endedAt = math.abs(tonumber(ask('ZSCORE', ENDED, nameOf(room)) or 0))
  local latest = now + LINGER
  if endedAt > latest and (date <= latest or date > endedAt) then return 0 end
  return endedAt
end

-- Takes a room for this living member. A claim is numbered by its node: one that arrives after the release of the same
-- or a later number must not take the room again. It is dated by the signature that was shown or, when the room is
-- claimed again, by its opening: a call that ended since is not taken up again.
local function claim(room, number, date, life, kind)
  local endedAt = endOf(room, date)
  if date <= endedAt then return 'ended', endedAt end
  local good, era, holder, state, claims = pcall(read, room)
  -- The node has the room open, so it knows better.
  if not good and kind ~= '2' then error(era, 0) end
  if not good or era ~= epoch then holder = nil end
  if holder == MEMBER then
    if state == 'released' and number <= claims then return 'stale', endedAt end
    number = math.max(number, claims)
  elseif holder and alive(holder) then
    return 'elsewhere', endedAt
  elseif kind == '1' and now < yieldUntil and not (holder and idOf(holder) == idOf(MEMBER)) then
    return 'yield', endedAt
  end
  bind(room, MEMBER, 'claimed', number, math.max(life, redis.call('PTTL', room)))
  return 'ok', endedAt
end

-- Number and date of each claim stand in ARGV from "first" on, the rooms in KEYS from the seventh on. A room that
-- cannot be read costs itself only. Answers in pairs: a word, and when the call ended last or 0.
local function claimAll(life, kind, first)
  local answers = {}
  for i = 7, #KEYS do
    local at = first + 2 * (i - 7)
    local number, date = tonumber(ARGV[at]), tonumber(ARGV[at + 1]) or math.huge
    local good, word, endedAt = pcall(claim, KEYS[i], number, date, life, kind)
    answers[#answers + 1] = good and word or 'failed'
    answers[#answers + 1] = good and endedAt or 0
  end
  return answers
end

-- What this node heard of: key and moment of the end stand in ARGV from "first" on.
local function forget(first)
  for i = first, #ARGV - 1, 2 do
    redis.pcall('ZREM', UNHEARD, idOf(MEMBER) .. '|' .. ARGV[i] .. '|' .. ARGV[i + 1])
  end
end

-- Rooms of this node whose call ended: key, when. Told until the node says that it heard, since an answer may be lost.
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
 * A compare-and-set on the incarnation that it replaces: '' for none, its own where it registers again in a new epoch.
 *
 * ARGV: member, record, milliseconds a claim lasts, kind of claims, incarnation that it replaces, then
 * number and date of each claim. Answers {'ok', now, ends, claims, memory}; or {'epoch', the present one},
 * {'present', incarnation or ''} when it is not the one to be replaced, {'lapsed'} when this very incarnation was
 * registered and died.
 */
export const REGISTER = script(NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
local id, incarnation = string.match(MEMBER, '^([^|]+)|([^|]+)$')
local replaces, registered, era = ARGV[10], string.match(ask('HGET', IDS, id) or '', '^([^|]+)|([^|]+)$')
-- Whoever was registered in another epoch may be one that a fail-over brought back.
local present = era == epoch and registered or ''

if present == incarnation or (present == '' and replaces == incarnation) then
  -- Within a settling it may have been this server that forgot the lease.
  if not alive(MEMBER) and not (replaces == incarnation and now < settledAt) then return {'lapsed'} end
elseif present ~= replaces then
  return {'present', present}
end
if registered and registered ~= incarnation then
  ask('ZREM', LEASES, id .. '|' .. registered)
  ask('HDEL', NODES, id .. '|' .. registered)
end
heard()
ask('HSET', IDS, id, incarnation .. '|' .. epoch)
ask('HSET', NODES, MEMBER, ARGV[7])
ask('ZADD', LEASES, ms(now + LEASE), MEMBER)
return {'ok', now, ends(), claimAll(tonumber(ARGV[8]), ARGV[9], 11), remember()}
`)

/**
 * ARGV: member, record, milliseconds a claim lasts, kind of claims, then number and date of
 * each, then what the answer before told of ended calls, as it stood there. Answers {'ok', now, ends, claims,
 * memory}, {'epoch', the present one} or {'lapsed'}.
 */
export const BEAT = script(NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
heard()
redis.call('ZADD', LEASES, ms(now + LEASE), MEMBER)
ask('HSET', NODES, MEMBER, ARGV[7])
-- Those who never came back go a few at a time, a minute later: nobody waits for it.
local latest = now < settledAt and '(-inf' or ms(now - LEASE - 60000)
local dead = redis.call('ZRANGEBYSCORE', LEASES, '-inf', latest, 'LIMIT', 0, 16)
for _, member in ipairs(dead) do
  local id, incarnation = string.match(member, '^([^|]+)|([^|]+)$')
  redis.call('ZREM', LEASES, member)
  redis.call('HDEL', NODES, member)
  if id and isRegistered(id, incarnation) then forgetId(id) end
end
forget(10 + 2 * (#KEYS - 6))
return {'ok', now, ends(), claimAll(tonumber(ARGV[8]), ARGV[9], 10), remember()}
`)

/**
 * ARGV: member, milliseconds a claim lasts, kind of claims, then number and date of each.
 * Answers {'ok', now, {}, claims, memory}, {'epoch', the present one} or {'lapsed'}.
 */
export const CLAIM_ROOMS = script(NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
note()
return {'ok', now, {}, claimAll(tonumber(ARGV[7]), ARGV[8], 9), remember()}
`)

/** ARGV: members. */
export const LEAVE = script(`
for i = 6, #ARGV do
  local id, incarnation = string.match(ARGV[i], '^([^|]+)|([^|]+)$')
  redis.pcall('ZREM', LEASES, ARGV[i])
  redis.pcall('HDEL', NODES, ARGV[i])
  if isRegistered(id, incarnation) then forgetId(id) end
end
return 'ok'
`)

/** The last client left. ARGV: member, number of the last claim. */
export const RELEASE = script(`
if KNOWN ~= epoch then return 0 end
local era, member, _, claims = read(ROOM)
local number = tonumber(ARGV[7])
-- A late release must not cut a newer claim.
if era ~= epoch or member ~= ARGV[6] or claims > number then return 0 end
bind(ROOM, member, 'released', number, LINGER + LEASE)
return 1
`)
