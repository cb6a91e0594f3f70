import { script } from './prelude.js'

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
 * One page of the bound rooms. ARGV: cursor, how many. Answers the next cursor, then the last part of each key, the
 * member and the state, in turn. Bindings of an earlier epoch are void.
 */
export const READ_ROOMS = script(['CURSOR', 'COUNT'], `
local pattern = string.gsub(string.gsub(META, 'meta$', 'room:'), '[*?%[%]\\\\]', '\\\\%0')
local page = redis.call('SCAN', CURSOR, 'MATCH', pattern .. '*', 'COUNT', COUNT)
local answer = {page[1]}
for _, room in ipairs(page[2]) do
  local text = redis.pcall('GET', room)
  local era, member, state
  if type(text) == 'string' then era, member, state = string.match(text, '^([^|]*)|([^|]+|[^|]+)|([^|]+)|%d+$') end
  if era == epoch then
    answer[#answer + 1] = nameOf(room)
    answer[#answer + 1] = member
    answer[#answer + 1] = state
  end
end
return answer
`)

/**
 * Answers 'none', 'current', 'void' (of an earlier epoch) or 'unreadable'; then member, state, number of the latest
 * claim, remaining milliseconds of the binding, 1 if the node is alive, end of the call or 0, and remaining
 * milliseconds of the settling.
 */
export const EXPLAIN = script([], `
local good, era, member, state, claims = pcall(read, ROOM)
if not good then member = nil end
local word = not good and 'unreadable' or not member and 'none' or era == epoch and 'current' or 'void'
local endedAt = math.abs(tonumber(ask('ZSCORE', ENDED, nameOf(ROOM)) or 0))
return {
  word, member or '', member and state or '', member and claims or 0, redis.call('PTTL', ROOM),
  member and alive(member) and 1 or 0, endedAt, math.max(0, settledAt - now)
}
`)

/** Answers ids and orders, in turn. */
export const READ_ORDERS = script([], "return ask('HGETALL', ORDERS)")
