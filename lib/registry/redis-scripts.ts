import { createHash } from 'node:crypto'

export interface Script {
  text: string
  sha1: string
}

/*
 * KEYS: leases, nodes, meta, ids, releases; then rooms.
 * ARGV: the epoch that the caller knows ('' for a gateway), a fresh one, milliseconds of lease, heartbeat and linger;
 * then what the script says.
 *
 * A member is `<id>|<incarnation>`, a room's text `epoch|id|incarnation|state|claims`, with `|releasedAt` once its call
 * ended. Epochs and incarnations are compared for equality only.
 */
const PRELUDE = `
local LEASES, NODES, META, IDS, RELEASES, ROOM = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local KNOWN, LEASE, HEARTBEAT, LINGER = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

-- The store's clock is the only one. %.0f, since a plain tostring would round and write an exponent.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function ms(number) return string.format('%.0f', number) end

local meta = redis.pcall('HMGET', META, 'epoch', 'replid', 'settledAt', 'yieldUntil', 'beat')
if meta.err then
  redis.call('DEL', META)
  meta = {}
end
local epoch, settledAt, yieldUntil = meta[1], tonumber(meta[3] or 0) or 0, tonumber(meta[4] or 0) or 0
local beat = tonumber(meta[5] or 0) or 0

-- Until settledAt no room is given to a node anew; until yieldUntil nodes that had lapsed leave rooms to the others.
local function settle(forMs, yieldMs)
  settledAt, yieldUntil = math.max(settledAt, now + forMs), math.max(yieldUntil, now + yieldMs)
  redis.call('HSET', META, 'settledAt', ms(settledAt), 'yieldUntil', ms(yieldUntil))
end

-- Every write may have been lost where another server, or the same one anew, has the data. Its replication id tells.
local info = redis.pcall('INFO', 'replication')
local replid = type(info) == 'string' and string.match(info, 'master_replid:(%x+)')
local wait = math.max(LEASE, LINGER)
if not epoch or #epoch ~= 22 or (replid and meta[2] and replid ~= meta[2]) then
  epoch = ARGV[2]
  redis.call('HSET', META, 'epoch', epoch)
  settledAt, yieldUntil = 0, 0
  settle(wait + 2 * HEARTBEAT, wait)
elseif settledAt > now + wait + 4 * HEARTBEAT then
  -- The clock was set back.
  settledAt, yieldUntil = 0, 0
  settle(wait + 2 * HEARTBEAT, wait)
end
if replid and replid ~= meta[2] then redis.call('HSET', META, 'replid', replid) end

local function alive(member)
  local ends = redis.call('ZSCORE', LEASES, member)
  return ends and tonumber(ends) > now
end

local function idOf(member) return string.match(member, '^[^|]+') end

-- An unreadable text is an error: taking it for "not bound" could split a room that is in use.
local function parse(text)
  local era, member, state, claims, rest = string.match(text, '^([^|]*)|([^|]+|[^|]+)|([^|]+)|(%d+)(.*)$')
  local releasedAt = rest == '' and '0' or (rest and string.match(rest, '^|(%d+)$'))
  if not releasedAt then error('the binding of the room cannot be read') end
  return era, member, state, tonumber(claims), tonumber(releasedAt)
end

local function bind(room, member, state, claims, releasedAt, life)
  local text = epoch .. '|' .. member .. '|' .. state .. '|' .. ms(claims)
  if releasedAt > 0 then text = text .. '|' .. ms(releasedAt) end
  redis.call('SET', room, text, 'PX', ms(life))
end
`

/** ARGV from the seventh on: record, milliseconds a claim lasts, 1 for a node that had lapsed. */
const NODE = `
local MEMBER = ARGV[6]

-- Where the store heard from nobody for a whole lease it was the store that was away: others may come back yet.
local function heard()
  if beat > 0 and now - beat >= LEASE then
    local others = redis.call('ZCARD', LEASES) - (redis.call('ZSCORE', LEASES, MEMBER) and 1 or 0)
    if others > 0 then settle(2 * HEARTBEAT, HEARTBEAT) end
  end
  redis.call('HSET', META, 'beat', ms(now))
  redis.call('HDEL', META, 'quiet')
end

-- Takes a room for this living member. A claim is numbered by its node: one that arrives after the release of the same
-- or a later number must not take the room again. One for a signature carries that one's date.
local function claim(room, number, life, yields, issuedAt)
  local text, endedAt = redis.call('GET', room), 0
  local holder, state, claims
  if text then
    local era
    era, holder, state, claims, endedAt = parse(text)
    if endedAt > 0 and (issuedAt and issuedAt <= endedAt or not issuedAt and state == 'released') then
      return 'released', endedAt
    end
    if era ~= epoch then holder = nil end
  end
  if holder == MEMBER then
    if state == 'released' and number <= claims then return 'stale', 0 end
    number = math.max(number, claims)
  elseif holder and alive(holder) then
    return 'elsewhere', 0
  elseif yields and now < yieldUntil and not (holder and idOf(holder) == idOf(MEMBER)) then
    return 'yield', 0
  end
  bind(room, MEMBER, 'claimed', number, endedAt, math.max(life, redis.call('PTTL', room)))
  return 'ok', endedAt
end

-- The numbers of the claims stand in ARGV from "first" on, their rooms in KEYS from the sixth on. A room that cannot be
-- read costs itself only. Answers in pairs: a word, and when the call ended last or 0.
local function claimAll(life, yields, first, issuedAt)
  local answers = {}
  for i = 6, #KEYS do
    local good, word, endedAt = pcall(claim, KEYS[i], tonumber(ARGV[first + i - 6]), life, yields, issuedAt)
    answers[#answers + 1] = good and word or 'failed'
    answers[#answers + 1] = good and endedAt or 0
  end
  return answers
end

-- Rooms of this node whose call ended: key, number of the claim that it ended, when. Told again and again for a while,
-- since an answer may be lost.
local function releases()
  local id, answers = idOf(MEMBER), {}
  local texts = redis.pcall('ZRANGEBYLEX', RELEASES, '[' .. id .. '|', '(' .. id .. '}', 'LIMIT', 0, 1000)
  for _, text in ipairs(texts.err and {} or texts) do
    local room, number, at = string.match(text, '^[^|]+|([^|]+)|(%d+)|(%d+)$')
    if not at or now - tonumber(at) > LINGER + LEASE then redis.call('ZREM', RELEASES, text)
    else
      for _, part in ipairs({room, number, at}) do answers[#answers + 1] = part end
    end
  end
  return answers
end
`

/**
 * ARGV: bytes of the longest record that is handed out, up to eight members. Answers {'bound' or 'chosen', member,
 * record or nil, now}, {'none'}, or {'settling'} where the room may be in use somewhere.
 */
export const ASSIGN = script(`
local life, longest = LINGER + LEASE, tonumber(ARGV[6])

-- The room's node is known even where its record cannot be read: whoever asks may have a good one.
local function record(member)
  local size = redis.pcall('HSTRLEN', NODES, member)
  if type(size) ~= 'number' or size == 0 or size > longest then return false end
  return redis.call('HGET', NODES, member)
end

-- For a while after the store heard from nobody that is no reason to hold the nodes for dead.
local function isSilent()
  if beat == 0 or now - beat < LEASE or redis.call('ZCARD', LEASES) == 0 then return false end
  redis.call('HSETNX', META, 'quiet', ms(now))
  return now - tonumber(redis.call('HGET', META, 'quiet')) < 2 * HEARTBEAT
end

-- More nodes than are left, and at least two, vanished at once without a word: it is rather the network.
local function isInDoubt()
  local vanished = redis.call('ZCOUNT', LEASES, ms(now - LEASE - HEARTBEAT), ms(now))
  return vanished >= 2 and vanished > redis.call('ZCOUNT', LEASES, '(' .. ms(now), '+inf')
end

local text, endedAt, vacant = redis.call('GET', ROOM), 0, true
if text then
  local era, member, _, _, releasedAt = parse(text)
  if era == epoch and alive(member) then
    -- A claim lasts longer than an assignment; it is never cut short. Always a write: a demoted primary refuses it.
    redis.call('PEXPIRE', ROOM, ms(math.max(life, redis.call('PTTL', ROOM))))
    return {'bound', member, record(member), now}
  end
  -- Who left said so; who vanished is still on the list.
  vacant, endedAt = era ~= epoch or not redis.call('ZSCORE', LEASES, member), releasedAt
end

if now < settledAt or (not vacant and isInDoubt()) then return {'settling'} end
for i = 7, #ARGV do
  -- Without a record in the store no other gateway could name the node, and the two sides would not meet.
  if alive(ARGV[i]) and redis.call('HEXISTS', NODES, ARGV[i]) == 1 then
    bind(ROOM, ARGV[i], 'assigned', 0, endedAt, life)
    return {'chosen', ARGV[i], record(ARGV[i]), now}
  end
end
return {isSilent() and 'settling' or 'none'}
`)

/**
 * One page of the living nodes, in the order of their leases. A lease that is prolonged between two pages moves to a
 * later one, so nodes may show twice and are not missed.
 *
 * ARGV: lowest lease end ('' for now), how many of that end to skip, page size, bytes of the longest record.
 * Answers the epoch, milliseconds that are left of the settling, whether the replication id can be read; then member,
 * lease end and record, over and over; the record is its length when it is too long, nil when missing.
 */
export const READ_NODES = script(`
local from, longest = ARGV[6], tonumber(ARGV[9])
if from == '' then from = '(' .. ms(now) end
local page = redis.call('ZRANGEBYSCORE', LEASES, from, '+inf', 'WITHSCORES', 'LIMIT', ARGV[7], ARGV[8])
local answer = {epoch, math.max(0, settledAt - now), replid and 1 or 0}
for i = 1, #page, 2 do
  local record = false
  -- Asking for the length first keeps a huge record from being copied and sent.
  local size = redis.call('HSTRLEN', NODES, page[i])
  if size > longest then record = size elseif size > 0 then record = redis.call('HGET', NODES, page[i]) end
  answer[#answer + 1] = page[i]
  answer[#answer + 1] = page[i + 1]
  answer[#answer + 1] = record
end
return answer
`)

/**
 * A compare-and-set on the incarnation that it replaces: '' for none, its own where it registers again in a new epoch.
 *
 * ARGV: member, record, milliseconds a claim lasts, 1 for a node that had lapsed, incarnation that it replaces, claim
 * numbers. Answers {'ok', now, releases, claims}; or {'epoch', the present one}, {'present', incarnation or ''} when
 * it is not the one to be replaced, {'lapsed'} when this very incarnation was registered and died.
 */
export const REGISTER = script(NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
local id, incarnation = string.match(MEMBER, '^([^|]+)|([^|]+)$')
local replaces, present = ARGV[10], redis.call('HGET', IDS, id) or ''

if present == incarnation or (present == '' and replaces == incarnation) then
  -- Within a settling it may have been this server that forgot the lease.
  if not alive(MEMBER) and not (replaces == incarnation and now < settledAt) then return {'lapsed'} end
elseif present ~= replaces then
  return {'present', present}
elseif present ~= '' then
  redis.call('ZREM', LEASES, id .. '|' .. present)
  redis.pcall('HDEL', NODES, id .. '|' .. present)
end
heard()
redis.call('HSET', IDS, id, incarnation)
redis.call('HSET', NODES, MEMBER, ARGV[7])
redis.call('ZADD', LEASES, ms(now + LEASE), MEMBER)
return {'ok', now, releases(), claimAll(tonumber(ARGV[8]), ARGV[9] == '1', 11)}
`)

/**
 * ARGV: member, record, milliseconds a claim lasts, 1 for claims of a node that had lapsed, claim numbers.
 * Answers {'ok', now, releases, claims}, {'epoch', the present one} or {'lapsed'}.
 */
export const BEAT = script(NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
heard()
redis.call('ZADD', LEASES, ms(now + LEASE), MEMBER)
-- pcall: a broken list of records must not let leases run out, on which rooms in use depend.
redis.pcall('HSET', NODES, MEMBER, ARGV[7])
-- Those who never came back go a few at a time, a minute later: nobody waits for it.
local latest = now < settledAt and '(-inf' or ms(now - LEASE - 60000)
local dead = redis.call('ZRANGEBYSCORE', LEASES, '-inf', latest, 'LIMIT', 0, 16)
for _, member in ipairs(dead) do
  local id, incarnation = string.match(member, '^([^|]+)|([^|]+)$')
  redis.call('ZREM', LEASES, member)
  redis.pcall('HDEL', NODES, member)
  if id and redis.call('HGET', IDS, id) == incarnation then
    redis.call('HDEL', IDS, id)
    redis.pcall('ZREMRANGEBYLEX', RELEASES, '[' .. id .. '|', '(' .. id .. '}')
  end
end
return {'ok', now, releases(), claimAll(tonumber(ARGV[8]), ARGV[9] == '1', 10)}
`)

/**
 * ARGV: member, milliseconds a claim lasts, 1 for claims of a node that had lapsed, date of the signature in
 * milliseconds or '', claim numbers. Answers {'ok', now, {}, claims}, {'epoch', the present one} or {'lapsed'}.
 */
export const CLAIM_ROOMS = script(NODE + `
if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
return {'ok', now, {}, claimAll(tonumber(ARGV[7]), ARGV[8] == '1', 10, tonumber(ARGV[9]))}
`)

/** ARGV: members. */
export const LEAVE = script(`
for i = 6, #ARGV do
  local id, incarnation = string.match(ARGV[i], '^([^|]+)|([^|]+)$')
  redis.pcall('ZREM', LEASES, ARGV[i])
  redis.pcall('HDEL', NODES, ARGV[i])
  if redis.pcall('HGET', IDS, id) == incarnation then redis.call('HDEL', IDS, id) end
end
return 'ok'
`)

/** The last client left. ARGV: member, number of the last claim. */
export const RELEASE = script(`
local text = redis.call('GET', ROOM)
if not text or KNOWN ~= epoch then return 0 end
local era, member, _, claims, releasedAt = parse(text)
local number = tonumber(ARGV[7])
-- A late release must not cut a newer claim.
if era ~= epoch or member ~= ARGV[6] or claims > number then return 0 end
bind(ROOM, member, 'released', number, releasedAt, LINGER + LEASE)
return 1
`)

/** The call ended. Answers 'ok', or 'settling' where the room may be in use somewhere. */
export const END = script(`
local text = redis.call('GET', ROOM)
local era, member, state, claims
if text then era, member, state, claims = parse(text) end
if era ~= epoch then return now < settledAt and 'settling' or 'ok' end
if state == 'claimed' then
  local room = string.match(ROOM, '[^:]+$')
  redis.call('ZADD', RELEASES, 0, idOf(member) .. '|' .. room .. '|' .. ms(claims) .. '|' .. ms(now))
end
bind(ROOM, member, 'released', claims, now, LINGER + LEASE)
return 'ok'
`)

function script (body: string): Script {
  const text = PRELUDE + body
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
