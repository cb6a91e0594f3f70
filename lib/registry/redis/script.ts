import { createHash } from 'node:crypto'

export interface Script {
  text: string
  sha1: string
}

/** How the scripts say it. */
export const UNREADABLE_BINDING = 'the binding of the room cannot be read'

/*
 * KEYS: leases, nodes, meta, ids, releases, ended; then rooms.
 * ARGV: the epoch that the caller knows ('' for a gateway), a fresh one, milliseconds of lease, heartbeat and linger;
 * then what the script says.
 *
 * A member is `<id>|<incarnation>`, a room's text `epoch|id|incarnation|state|claims`. Epochs and incarnations are
 * compared for equality only.
 */
const PRELUDE = `
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
  if not member then error('${UNREADABLE_BINDING}') end
  return era, member, state, tonumber(claims)
end

local function bind(room, member, state, claims, life)
  redis.call('SET', room, epoch .. '|' .. member .. '|' .. state .. '|' .. ms(claims), 'PX', ms(life))
end

local function nameOf(room) return string.match(room, '[^:]+$') end
`

/** @param body is put behind what all scripts begin with */
export function script (body: string): Script {
  const text = PRELUDE + body
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
