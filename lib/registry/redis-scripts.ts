import { createHash } from 'node:crypto'

export interface Script {
  text: string
  sha1: string
}

/*
 * Every script gets the leases, the records and the meta data as its first three keys, then rooms; and the epoch as its
 * first argument. A member is `<id>|<incarnation>`, a room's text `epoch|id|incarnation|state|claims`.
 */
const PRELUDE = `
local LEASES, NODES = KEYS[1], KEYS[2]
local EPOCH = ARGV[1]

-- The store's clock is the only one. %.0f, since a plain tostring would round and write an exponent.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function ms(number) return string.format('%.0f', number) end

local function alive(member)
  local ends = redis.call('ZSCORE', LEASES, member)
  return ends and tonumber(ends) > now
end

-- An unreadable text is an error: taking it for "not bound" could split a room that is in use.
local function parse(text)
  local member, state, claims = string.match(text, '^[^|]*|([^|]+|[^|]+)|([^|]+)|(%d+)$')
  if not member then error('the binding of the room cannot be read') end
  return member, state, tonumber(claims)
end

local function bind(room, member, state, claims, life)
  redis.call('SET', room, EPOCH .. '|' .. member .. '|' .. state .. '|' .. ms(claims), 'PX', ms(life))
end
`

const CLAIM = `
-- Takes a room for a living member. A claim is numbered by its node: one that arrives after the release of the same
-- or a later number must not take the room again.
local function claim(room, member, number, life)
  local text = redis.call('GET', room)
  if text then
    local holder, state, claims = parse(text)
    if holder == member then
      if state == 'released' and number <= claims then return 'released' end
      number = math.max(number, claims)
    elseif alive(holder) then
      return 'elsewhere'
    end
  end
  bind(room, member, 'claimed', number, math.max(life, redis.call('PTTL', room)))
  return 'ok'
end

-- The numbers of the claims stand in ARGV from "first" on, their rooms in KEYS from the fourth on. A room that cannot
-- be read costs itself only.
local function claimAll(member, life, first)
  local answers = {}
  for i = 4, #KEYS do
    local good, answer = pcall(claim, KEYS[i], member, tonumber(ARGV[first + i - 4]), life)
    answers[#answers + 1] = good and answer or 'failed'
  end
  return answers
end
`

/**
 * ARGV: epoch, milliseconds a binding lasts, bytes of the longest record that is handed out, up to eight members.
 * Answers {'bound' or 'chosen', member, record or nil, now}, or {'none'}.
 */
export const ASSIGN = script(`
local room, life, longest = KEYS[4], tonumber(ARGV[2]), tonumber(ARGV[3])

-- The room's node is known even where its record cannot be read: whoever asks may have a good one.
local function record(member)
  local size = redis.pcall('HSTRLEN', NODES, member)
  if type(size) ~= 'number' or size == 0 or size > longest then return false end
  return redis.call('HGET', NODES, member)
end

local text = redis.call('GET', room)
if text then
  local member = parse(text)
  if alive(member) then
    -- A claim lasts longer than an assignment; it is never cut short.
    if redis.call('PTTL', room) < life then redis.call('PEXPIRE', room, ms(life)) end
    return {'bound', member, record(member), now}
  end
end

for i = 4, #ARGV do
  -- Without a record in the store no other gateway could name the node, and the two sides would not meet.
  if alive(ARGV[i]) and redis.call('HEXISTS', NODES, ARGV[i]) == 1 then
    bind(room, ARGV[i], 'assigned', 0, life)
    return {'chosen', ARGV[i], record(ARGV[i]), now}
  end
end
return {'none'}
`)

/**
 * One page of the living nodes, in the order of their leases. A lease that is prolonged between two pages moves to a
 * later one, so nodes may show twice and are not missed.
 *
 * ARGV: epoch, lowest lease end ('' for now), how many of that end to skip, page size, bytes of the longest record.
 * Answers member, lease end and record, over and over; the record is its length when it is too long, nil when missing.
 */
export const READ_NODES = script(`
local from, longest = ARGV[2], tonumber(ARGV[5])
if from == '' then from = '(' .. ms(now) end
local page = redis.call('ZRANGEBYSCORE', LEASES, from, '+inf', 'WITHSCORES', 'LIMIT', ARGV[3], ARGV[4])
local answer = {}
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

/** ARGV: epoch, member, lease, record, milliseconds a claim lasts, member that it replaces or '', claim numbers. */
export const REGISTER = script(CLAIM + `
local member = ARGV[2]
redis.call('HSET', NODES, member, ARGV[4])
redis.call('ZADD', LEASES, ms(now + tonumber(ARGV[3])), member)
if ARGV[6] ~= '' then
  redis.call('ZREM', LEASES, ARGV[6])
  redis.call('HDEL', NODES, ARGV[6])
end
return claimAll(member, tonumber(ARGV[5]), 7)
`)

/** ARGV: epoch, member, lease, record. Answers 'ok' or 'lapsed'. */
export const BEAT = script(`
local member = ARGV[2]
if not alive(member) then return 'lapsed' end
redis.call('ZADD', LEASES, ms(now + tonumber(ARGV[3])), member)
-- pcall: a broken list of records must not let leases run out, on which rooms in use depend.
redis.pcall('HSET', NODES, member, ARGV[4])
-- Those who never came back go a few at a time, a minute later: nobody waits for it.
local dead = redis.call('ZRANGEBYSCORE', LEASES, '-inf', ms(now - 60000), 'LIMIT', 0, 16)
for _, name in ipairs(dead) do
  redis.call('ZREM', LEASES, name)
  redis.pcall('HDEL', NODES, name)
end
return 'ok'
`)

/** ARGV: epoch, members. */
export const LEAVE = script(`
for i = 2, #ARGV do
  redis.pcall('ZREM', LEASES, ARGV[i])
  redis.pcall('HDEL', NODES, ARGV[i])
end
return 'ok'
`)

/** ARGV: epoch, member, milliseconds a claim lasts, claim numbers. Answers one word per room, or {'lapsed'}. */
export const CLAIM_ROOMS = script(CLAIM + `
if not alive(ARGV[2]) then return {'lapsed'} end
return claimAll(ARGV[2], tonumber(ARGV[3]), 4)
`)

/** ARGV: epoch, member, number of the last claim, milliseconds the binding lingers. */
export const RELEASE = script(`
local text = redis.call('GET', KEYS[4])
if not text then return 0 end
local member, _, claims = parse(text)
local number = tonumber(ARGV[3])
-- A late release must not cut a newer claim.
if member ~= ARGV[2] or claims > number then return 0 end
bind(KEYS[4], member, 'released', number, tonumber(ARGV[4]))
return 1
`)

function script (body: string): Script {
  const text = PRELUDE + body
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
