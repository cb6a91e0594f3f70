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

/** Answers ids and orders, in turn. */
export const READ_ORDERS = script([], "return ask('HGETALL', ORDERS)")
