
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

if KNOWN ~= epoch then return {'epoch', epoch} end
if not alive(MEMBER) then return {'lapsed'} end
return {'ok', now, {}, claimAll(tonumber(ARGV[7]), ARGV[8] == '1', 10, tonumber(ARGV[9]))}
