import fengari from 'fengari'
import type { State } from 'fengari'
import type { Reply } from './redis-data.js'

const { lua, lauxlib, lualib, to_luastring: toLuaString } = fengari

/** Runs scripts as Redis does: `redis.call`, `redis.pcall`, KEYS and ARGV, and its conversion of values. */
export class LuaHost {
  readonly #state: State = lauxlib.luaL_newstate()
  readonly #compiled = new Map<string, number>()

  constructor (run: (name: string, args: string[]) => Reply) {
    lualib.luaL_openlibs(this.#state)
    // Redis has an older Lua than this one.
    lauxlib.luaL_loadstring(this.#state, toLuaString('unpack = table.unpack'))
    lua.lua_pcall(this.#state, 0, 0, 0)
    lua.lua_createtable(this.#state, 0, 2)
    for (const [name, catches] of [['call', false], ['pcall', true]] as const) {
      lua.lua_pushcfunction(this.#state, (state) => call(state, run, catches))
      lua.lua_setfield(this.#state, -2, toLuaString(name))
    }
    lua.lua_setglobal(this.#state, toLuaString('redis'))
  }

  /** @throws Error with the error of the script */
  run (text: string, keys: string[], args: string[]): Reply {
    const state = this.#state
    for (const [name, values] of [['KEYS', keys], ['ARGV', args]] as const) {
      push(state, values)
      lua.lua_setglobal(state, toLuaString(name))
    }
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, this.#compile(text))
    const status = lua.lua_pcall(state, 0, 1, 0)
    const reply = status === 0 ? read(state, -1) : null
    const message = status === 0 ? '' : messageOf(state)
    lua.lua_pop(state, 1)
    if (status !== 0) throw new Error(message)
    return reply
  }

  #compile (text: string): number {
    let reference = this.#compiled.get(text)
    if (reference === undefined) {
      if (lauxlib.luaL_loadstring(this.#state, toLuaString(text)) !== 0) throw new Error(messageOf(this.#state))
      reference = lauxlib.luaL_ref(this.#state, lua.LUA_REGISTRYINDEX)
      this.#compiled.set(text, reference)
    }
    return reference
  }
}

function call (state: State, run: (name: string, args: string[]) => Reply, catches: boolean): number {
  const given = Array.from({ length: lua.lua_gettop(state) }, (_value, at) => lua.lua_tojsstring(state, at + 1))
  try {
    push(state, run(given[0] ?? '', given.slice(1)))
    return 1
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (!catches) {
      lua.lua_pushstring(state, toLuaString(message))
      return lua.lua_error(state)
    }
    lua.lua_createtable(state, 0, 1)
    lua.lua_pushstring(state, toLuaString(message))
    lua.lua_setfield(state, -2, toLuaString('err'))
    return 1
  }
}

function messageOf (state: State): string {
  return lua.lua_type(state, -1) === lua.LUA_TSTRING ? lua.lua_tojsstring(state, -1) : 'ERR script failed'
}

/** Turns a nil in a reply of Redis into false, as Redis does in Lua. */
function push (state: State, reply: Reply): void {
  if (reply === null) lua.lua_pushboolean(state, false)
  else if (typeof reply === 'number') lua.lua_pushnumber(state, reply)
  else if (typeof reply === 'string') lua.lua_pushstring(state, toLuaString(reply))
  else {
    lua.lua_createtable(state, reply.length, 0)
    for (const [at, value] of reply.entries()) {
      push(state, value)
      lua.lua_rawseti(state, -2, at + 1)
    }
  }
}

/** Converts as Redis does: a number loses its fraction, a table ends at its first nil. */
function read (state: State, index: number): Reply {
  switch (lua.lua_type(state, index)) {
    case lua.LUA_TSTRING: return lua.lua_tojsstring(state, index)
    case lua.LUA_TNUMBER: return Math.trunc(lua.lua_tonumber(state, index))
    case lua.LUA_TBOOLEAN: return lua.lua_toboolean(state, index) ? 1 : null
    case lua.LUA_TTABLE: return readTable(state, index)
    default: return null
  }
}

function readTable (state: State, index: number): Reply[] {
  const values: Reply[] = []
  for (let at = 1; ; at++) {
    // The index counts from the top, which the pushed value moves.
    const type = lua.lua_rawgeti(state, index, at)
    if (type === 0) {
      lua.lua_pop(state, 1)
      return values
    }
    values.push(read(state, -1))
    lua.lua_pop(state, 1)
  }
}
