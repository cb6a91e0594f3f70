import { script } from './prelude.js'

/** The state of a binding for an operator: a moving room is `moved` once its node has given it up. */
const STATE = `
local function wordOf(room, member, state, claims)
  if not targetOf(state) then return state end
  return isLeaving(room, member, claims) and 'moving' or 'moved'
end
`

/** ARGV: id of the node, then the order as JSON without the beginning `{`, which is completed with the moment. */
export const SET_ORDER = script(['ID', 'REST'], `
note()
ask('HSET', ORDERS, ID, '{"at":' .. ms(now) .. ',' .. REST)
return 'ok'
`)

/** ARGV: id of the node. */
export const END_ORDER = script(['ID'], `
note()
ask('HDEL', ORDERS, ID)
return 'ok'
`)

/**
 * Moves a room away from its node: the node is told that the call ended there, and the room is bound to no other node
 * before the node has acknowledged that, or is dead, or the binding has ended.
 *
 * ARGV: id of the node that is to have the room next, or ''; target, reason and author as JSON. Answers {'none'} if the
 * room is bound to no node, {'there', id} if it is on the target already; otherwise 'moving', or 'moved' if nothing is
 * to be waited for, and the id of the node that it leaves.
 */
export const MOVE = script(['TARGET', 'WHY'], `
local era, member, state, claims = read(ROOM)
if era ~= epoch then return {'none'} end
local id, movedAt = idOf(member), now
if id == TARGET then return {'there', id} end
note()
if targetOf(state) then
  movedAt = claims
elseif alive(member) then
  -- Also if the node has not claimed the room: earlier signatures name it, and this store may lose the move.
  ask('ZADD', UNHEARD, 0, toUnheard(ROOM, member, now))
end
-- Longer than the node has time for, so that the room does not return to it.
bind(ROOM, member, 'moving>' .. TARGET, movedAt, 2 * (LINGER + LEASE))
recordIfKept(ROOM, 'moved', member, 'why', WHY)
return {isLeaving(ROOM, member, movedAt) and 'moving' or 'moved', id}
`)

/**
 * One page of the bound rooms. ARGV: cursor, how many. Answers the next cursor, then the last part of each key, the
 * member and the state, in turn. Bindings of an earlier epoch are void.
 */
export const READ_ROOMS = script(['CURSOR', 'COUNT'], STATE + `
local pattern = string.gsub(string.gsub(META, 'meta$', 'room:'), '[*?%[%]\\\\]', '\\\\%0')
local page = redis.call('SCAN', CURSOR, 'MATCH', pattern .. '*', 'COUNT', COUNT)
local answer = {page[1]}
for _, room in ipairs(page[2]) do
  local text = redis.pcall('GET', room)
  local era, member, state, claims
  if type(text) == 'string' then
    era, member, state, claims = string.match(text, '^([^|]*)|([^|]+|[^|]+)|([^|]+)|(%d+)$')
  end
  if era == epoch then
    answer[#answer + 1] = nameOf(room)
    answer[#answer + 1] = member
    answer[#answer + 1] = wordOf(room, member, state, tonumber(claims))
  end
end
return answer
`)

/**
 * Answers 'none', 'current', 'void' (of an earlier epoch) or 'unreadable'; then member, state, number of the latest
 * claim, remaining milliseconds of the binding, 1 if the node is alive, end of the call or 0, remaining milliseconds
 * of the settling, the id of the node that a moving room is to get next, or '', and the moment at which the epoch
 * began.
 */
export const EXPLAIN = script([], STATE + `
local good, era, member, state, claims = pcall(read, ROOM)
if not good then member = nil end
local word = not good and 'unreadable' or not member and 'none' or era == epoch and 'current' or 'void'
local endedAt = math.abs(tonumber(ask('ZSCORE', ENDED, nameOf(ROOM)) or 0))
return {
  word, member or '', member and wordOf(ROOM, member, state, claims) or '',
  member and not targetOf(state) and claims or 0, redis.call('PTTL', ROOM),
  member and alive(member) and 1 or 0, endedAt, math.max(0, settledAt - now), member and targetOf(state) or '',
  redis.call('HGET', META, 'began') or 0
}
`)

/** Answers ids and orders, in turn. */
export const READ_ORDERS = script([], "return ask('HGETALL', ORDERS)")

/**
 * One page of the history of a room, newest first. ARGV: id of the newest entry to look at ('+' for all), how many to
 * look at. Answers the id of the last one that was looked at, '' after the oldest; then for each event of the room its
 * id, followed by a list of its fields and values, in turn.
 */
export const READ_HISTORY = script(['FROM', 'COUNT'], `
local page = redis.pcall('XREVRANGE', HISTORY, FROM, '-', 'COUNT', COUNT)
if page.err then return {''} end
local answer = {#page == tonumber(COUNT) and page[#page][1] or ''}
for _, entry in ipairs(page) do
  -- The first field is the room.
  if entry[2][2] == nameOf(ROOM) then
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = entry[2]
  end
end
return answer
`)
