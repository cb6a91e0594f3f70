/** Types of the functions in use; the package has none. */
declare module 'fengari' {
  interface State { readonly brand: unique symbol }
  type LuaString = Uint8Array
  interface Lua {
    readonly LUA_REGISTRYINDEX: number
    readonly LUA_TSTRING: number
    readonly LUA_TNUMBER: number
    readonly LUA_TBOOLEAN: number
    readonly LUA_TTABLE: number
    lua_call (state: State, args: number, results: number): void
    lua_createtable (state: State, size: number, fields: number): void
    lua_error (state: State): number
    lua_gettop (state: State): number
    lua_pcall (state: State, args: number, results: number, handler: number): number
    lua_pop (state: State, count: number): void
    lua_pushboolean (state: State, value: boolean): void
    lua_pushcfunction (state: State, f: (state: State) => number): void
    lua_pushnumber (state: State, value: number): void
    lua_pushstring (state: State, value: LuaString): void
    lua_rawgeti (state: State, index: number, at: number): number
    lua_rawseti (state: State, index: number, at: number): void
    lua_setfield (state: State, index: number, name: LuaString): void
    lua_setglobal (state: State, name: LuaString): void
    lua_toboolean (state: State, index: number): boolean
    lua_tojsstring (state: State, index: number): string
    lua_tonumber (state: State, index: number): number
    lua_type (state: State, index: number): number
  }
  interface Auxiliary {
    luaL_loadstring (state: State, code: LuaString): number
    luaL_newstate (): State
    luaL_ref (state: State, table: number): number
  }
  const fengari: {
    lua: Lua
    lauxlib: Auxiliary
    lualib: { luaL_openlibs (state: State): void }
    to_luastring (text: string): LuaString
  }
  export default fengari
  export type { State }
}
