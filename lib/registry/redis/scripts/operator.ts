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

/** Answers ids and orders, in turn. */
export const READ_ORDERS = script([], "return ask('HGETALL', ORDERS)")
