
local LEASES, NODES, META, IDS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local UNHEARD, ENDED, ORDERS, HISTORY, ROOM = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local LEASE, HEARTBEAT, LINGER = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local KNOWN, REMEMBERED, REMEMBERED_TIMES = string.match(ARGV[1], '^([^ ]*) ?(%d*) ?(.*)$')

-- All times are by the store's clock. %.0f, since a plain tostring would round and write an exponent.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function ms(number) return string.format('%.0f', number) end
-- Returns 0 for a missing text, nil for a text that no script has written.
local function whole(text)
  local number = tonumber(text or 0)
  return number and number >= 0 and number < 1e15 and number % 1 == 0 and number or nil
end

-- Runs a command on a key. A key of a wrong type is useless to all callers and would fail each of them, so delete it.
local function ask(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if not string.find(answer.err, 'WRONGTYPE', 1, true) then error(answer.err, 0) end
  redis.call('DEL', key)
  if key ~= LEASES then return redis.call(command, key, ...) end
  -- Without the leases every node would count as dead. In a new epoch, which the next call begins, all register again.
  redis.call('HDEL', META, 'epoch')
  error(answer.err, 0)
end

local meta = ask('HMGET', META,
  'epoch', 'replid', 'settledAt', 'yieldUntil', 'beat', 'quiet', 'mark', 'times', 'timesAt')

-- During a rollout, processes may have different times. The longest are in force, until no process has had them for ten
-- minutes. A store that lost them gets them back from any process that remembers.
local TIMES, isLonger = ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5], false
local function reviewTimes()
  local function inForce(name, own, limit, remembered)
    local text, saidAt = string.match(redis.call('HGET', META, name) or '', '^(%d+) (%d+)$')
    local held, at = whole(text), whole(saidAt)
    if not text or not held or held > limit or not at or at > now then
      held, at = math.min(whole(remembered) or 0, limit), 0
    elseif now - at >= 600000 then held, at = 0, 0 end
    local longest = math.max(math.min(own, limit), held)
    isLonger = isLonger or longest > held
    if longest > held or at == 0 or (longest == own and now - at >= 60000) then
      redis.call('HSET', META, name, ms(longest) .. ' ' .. ms(now))
    end
    return longest
  end
  local lease, heartbeat, linger = string.match(REMEMBERED_TIMES, '^(%d+) (%d+) (%d+)$')
  LEASE = inForce('lease', LEASE, 300000, lease)
  HEARTBEAT = inForce('heartbeat', HEARTBEAT, 30000, heartbeat)
  LINGER = inForce('linger', LINGER, 1e12, linger)
  local own = TIMES
  TIMES = ms(LEASE) .. ' ' .. ms(HEARTBEAT) .. ' ' .. ms(LINGER)
  -- A process whose own times are all in force need not review them for a while.
  if TIMES == own then redis.call('HSET', META, 'times', TIMES, 'timesAt', ms(now))
  elseif TIMES ~= meta[8] then redis.call('HSET', META, 'times', TIMES) end
end
local reviewedAt = whole(meta[9]) or 0
if meta[8] ~= TIMES or reviewedAt > now or now - reviewedAt >= 60000 then reviewTimes() end

-- No store reaches so many writes, and further ones still fit into an exact number.
local MOST_MARK = 9e14
local epoch, settledAt, yieldUntil = meta[1], whole(meta[3]), whole(meta[4])
local beat, quiet, mark = whole(meta[5]), whole(meta[6]), whole(meta[7])
local isDamaged = not epoch or #epoch ~= 22 or string.find(epoch, '[^%w_-]') or
  not (settledAt and yieldUntil and beat and quiet and mark and mark < MOST_MARK)

-- Until settledAt no room is given to another node; until yieldUntil nodes that had lapsed leave rooms to the others.
local wait = math.max(LEASE, LINGER)
local function settle(forMs, yieldMs)
  settledAt, yieldUntil = math.max(settledAt, now + forMs), math.max(yieldUntil, now + yieldMs)
  redis.call('HSET', META, 'settledAt', ms(settledAt), 'yieldUntil', ms(yieldUntil))
end
local function settleAgain()
  settledAt, yieldUntil = 0, 0
  settle(wait + 2 * HEARTBEAT, wait)
end

-- Any write may be lost if another server has the data, or the same one after a restart: the replication id shows this.
-- A caller that remembers more writes than the store counts shows that older data is back under the same id.
local info = redis.pcall('INFO', 'replication')
local replid = type(info) == 'string' and string.match(info, 'master_replid:(%x+)')
local remembered = tonumber(REMEMBERED) or 0
if remembered >= MOST_MARK then remembered = 0 end
if isDamaged or (replid and meta[2] and replid ~= meta[2]) or remembered > mark then
  if not mark or mark >= MOST_MARK then mark = 0 end
  -- The mark is a minute above all known ones, so that callers that remember a little more start no further epoch.
  epoch, beat, quiet, mark = ARGV[2], now, 0, math.max(mark, remembered, now) + 60000
  redis.call('HSET', META, 'epoch', epoch, 'began', ms(now), 'beat', ms(beat), 'mark', ms(mark))
  redis.call('HDEL', META, 'quiet')
  settleAgain()
elseif settledAt > now + wait + 4 * HEARTBEAT or (isLonger and now < settledAt) then
  -- The clock was set back, or the settling began with shorter times.
  settleAgain()
end
if replid and replid ~= meta[2] then redis.call('HSET', META, 'replid', replid) end
yieldUntil = math.min(yieldUntil, settledAt)
if beat > now then
  beat = now
  redis.call('HSET', META, 'beat', ms(beat))
end

-- Counts the writes that must not be lost. With a date instead, one write after a loss would hide all that were lost.
local function note(...)
  mark = mark + 1
  redis.call('HSET', META, 'mark', ms(mark), ...)
end
local function remember() return ms(mark) .. ' ' .. TIMES end

-- No lease ends later than one that is granted now. A later end was set before the clock was set back, and would keep
-- a dead node alive for as long as the clock went back.
local function cutLease(member, ends)
  if ends <= now + LEASE then return ends end
  redis.call('ZADD', LEASES, ms(now + LEASE), member)
  return now + LEASE
end

local function alive(member)
  local ends = ask('ZSCORE', LEASES, member)
  return ends and cutLease(member, tonumber(ends)) > now
end

local function isRegistered(id, incarnation)
  local text = redis.pcall('HGET', IDS, id)
  return type(text) == 'string' and string.sub(text, 1, #incarnation + 1) == incarnation .. '|'
end

-- Forgets an id, and the ends of calls that its node has not acknowledged.
local function forgetId(id)
  redis.call('HDEL', IDS, id)
  ask('ZREMRANGEBYLEX', UNHEARD, '[' .. id .. '|', '(' .. id .. '}')
end

local function idOf(member) return string.match(member, '^[^|]+') end
-- The member that is registered under an id in this epoch, or nil.
local function memberOf(id)
  local incarnation, era = string.match(ask('HGET', IDS, id) or '', '^([^|]+)|([^|]+)$')
  return era == epoch and id .. '|' .. incarnation or nil
end
-- The node that an operator moves a room to, '' for any; nil if the room is not moving.
local function targetOf(state) return string.match(state, '^moving>(.*)$') end

-- A node under an order of an operator gets no new rooms.
local function isOrdered(member) return ask('HEXISTS', ORDERS, idOf(member)) == 1 end

-- The binding of a room, or nil. An unreadable binding is an error: taken for "not bound" it could split a room that is
-- in use. The key expires with the earlier signatures; by then a node with the room open has claimed the room again.
local function read(room)
  local text = redis.pcall('GET', room)
  if not text then return nil end
  local era, member, state, claims
  if type(text) == 'string' then
    era, member, state, claims = string.match(text, '^([^|]*)|([^|]+|[^|]+)|([^|]+)|(%d+)$')
  end
  if member then return era, member, state, tonumber(claims) end
  local left, life = redis.call('PTTL', room), LINGER + LEASE
  if left < 0 or left > life then redis.call('PEXPIRE', room, ms(life)) end
  error(text.err or 'the binding of the room cannot be read')
end

local function bind(room, member, state, claims, life)
  redis.call('SET', room, epoch .. '|' .. member .. '|' .. state .. '|' .. ms(claims), 'PX', ms(life))
end

local function nameOf(room) return string.match(room, '[^:]+$') end

-- Records what happened to a room. Nothing depends on the history, so it may fail. A gateway that keeps one begins it.
local function record(room, event, member, ...)
  local entry = {'room', nameOf(room), 'event', event, 'node', member, ...}
  redis.pcall('XADD', HISTORY, 'MAXLEN', '~', 50000, '*', unpack(entry))
end
local function recordIfKept(...)
  if redis.pcall('EXISTS', HISTORY) == 1 then record(...) end
end

-- The end of a call, until its node has acknowledged it. A node may know ends only from here.
local function toUnheard(room, member, moment) return idOf(member) .. '|' .. nameOf(room) .. '|' .. ms(moment) end

-- Whether a moving room may still be in use on its node: the node has not acknowledged the end of the call, and earlier
-- signatures may be valid.
local function isLeaving(room, member, movedAt)
  if now - movedAt > LINGER + LEASE or not alive(member) then return false end
  return ask('ZSCORE', UNHEARD, toUnheard(room, member, movedAt)) and true
end
local MEMBER, RECORD, LIFE, KIND = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local FURTHER = 10

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
  local texts = ask('ZRANGEBYLEX', UNHEARD, '[' .. id .. '|', '(' .. id .. '}', 'LIMIT', 0, 1000)
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
