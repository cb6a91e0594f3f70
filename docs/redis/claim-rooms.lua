
local LEASES, NODES, META, IDS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local RELEASES, ENDED, ROOM = KEYS[5], KEYS[6], KEYS[7]
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
  beat = now
  redis.call('HSET', META, 'epoch', epoch, 'beat', ms(beat))
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

local function isRegistered(id, incarnation)
  local text = redis.pcall('HGET', IDS, id)
  return type(text) == 'string' and string.sub(text, 1, #incarnation + 1) == incarnation .. '|'
end

local function idOf(member) return string.match(member, '^[^|]+') end

-- An unreadable text is an error: taking it for "not bound" could split a room that is in use.
local function parse(text)
  local era, member, state, claims = string.match(text, '^([^|]*)|([^|]+|[^|]+)|([^|]+)|(%d+)$')
  if not member then error('the binding of the room cannot be read') end
  return era, member, state, tonumber(claims)
end

local function bind(room, member, state, claims, life)
  redis.call('SET', room, epoch .. '|' .. member .. '|' .. state .. '|' .. ms(claims), 'PX', ms(life))
end

local function nameOf(room) return string.match(room, '[^:]+$') end

local MEMBER = ARGV[6]

-- Where the store heard from nobody for a whole lease it was the store that was away: others may come back yet. It
-- knows of them by their leases, unless it had lost its memory just before.
local function heard()
  if now - beat >= LEASE then
    local others = redis.call('ZCARD', LEASES) - (redis.call('ZSCORE', LEASES, MEMBER) and 1 or 0)
    if others > 0 or beat < settledAt then settle(2 * HEARTBEAT, HEARTBEAT) end
  end
  redis.call('HSET', META, 'beat', ms(now))
  redis.call('HDEL', META, 'quiet')
end

-- Takes a room for this living member. A claim is numbered by its node: one that arrives after the release of the same
-- or a later number must not take the room again. It is dated by the signature that was shown or, when the room is
-- claimed again, by its opening: a call that ended since is not taken up again.
local function claim(room, number, date, life, yields)
  local endedAt = tonumber(redis.call('ZSCORE', ENDED, nameOf(room)) or 0)
  if date <= endedAt then return 'released', endedAt end
  local text = redis.call('GET', room)
  local holder, state, claims
  if text then
    local era
    era, holder, state, claims = parse(text)
    if era ~= epoch then holder = nil end
  end
  if holder == MEMBER then
    if state == 'released' and number <= claims then return 'stale', endedAt end
    number = math.max(number, claims)
  elseif holder and alive(holder) then
    return 'elsewhere', endedAt
  elseif yields and now < yieldUntil and not (holder and idOf(holder) == idOf(MEMBER)) then
    return 'yield', endedAt
  end
  bind(room, MEMBER, 'claimed', number, math.max(life, redis.call('PTTL', room)))
  return 'ok', endedAt
end

-- Number and date of each claim stand in ARGV from "first" on, the rooms in KEYS from the seventh on. A room that
-- cannot be read costs itself only. Answers in pairs: a word, and when the call ended last or 0.
local function claimAll(life, yields, first)
  local answers = {}
  for i = 7, #KEYS do
    local at = first + 2 * (i - 7)
    local number, date = tonumber(ARGV[at]), tonumber(ARGV[at + 1]) or math.huge
    local good, word, endedAt = pcall(claim, KEYS[i], number, date, life, yields)
    answers[#answers + 1] = good and word or 'failed'
    answers[#answers + 1] = good and endedAt or 0
  end
  return answers
end

-- Rooms of this node whose call ended: key, when. Told again and again for a while, since an answer may be lost.
local function releases()
  local id, answers = idOf(MEMBER), {}
  local texts = redis.pcall('ZRANGEBYLEX', RELEASES, '[' .. id .. '|', '(' .. id .. '}', 'LIMIT', 0, 1000)
  for _, text in ipairs(texts.err and {} or texts) do
    local room, at = string.match(text, '^[^|]+|([^|]+)|(%d+)$')
    if not at or now - tonumber(at) > LINGER + LEASE then redis.call('ZREM', RELEASES, text)
    else
      answers[#answers + 1] = room
      answers[#answers + 1] = at
    end
  end
  return answers
end

if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
return {'ok', now, {}, claimAll(tonumber(ARGV[7]), ARGV[8] == '1', 9)}
