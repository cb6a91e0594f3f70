// What the servers and the load agree on.
import { makeToken, toUid } from '../dist/lib/sessions/token.js'

export const PATH = '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo'
export const PREFIX = 'TOKENKEY:'
export const KEY = { id: '2026-11', secret: 'an example secret of 32 bytes !!' }
export const ENTRY = 'relay.example'
export const NODES = Array.from({ length: 4 }, (_, at) => ({
  id: `node-${at}`, wssUrl: `wss://10.10.0.${at}:8443/ws/cobrowse/${at}`
}))

const SESSIONS = Array.from({ length: 1000 }, (_, at) => ({ tenantId: 't1', channelId: 'web', userId: `user-${at}` }))
const ROOMS = 1000

/** All users have a valid token. The same in each process, since the time in it is fixed. */
export const USERS = SESSIONS.map((session) => ({
  session, token: makeToken(session, 1_764_201_600_000), key: `${PREFIX}${toUid(session)}`
}))

let asked = 0
let created = 0

/** `known`: a room that is bound · `new`: one that is not · `mix`: seven of ten known, two new, one token forged */
const KINDS = {
  known: () => 'known',
  new: () => 'new',
  mix: () => ['known', 'known', 'new', 'known', 'known', 'known', 'new', 'known', 'known', 'forged'][asked % 10]
}
export const MODES = Object.keys(KINDS)

/** @returns the body and the header lines of the next request of a mode */
export function nextRequest (mode, prefix) {
  asked++
  const kind = KINDS[mode]()
  const { session: { userId }, token } = USERS[asked % USERS.length]
  const roomId = kind === 'new' ? `${prefix}-${++created}` : `known-${asked % ROOMS}`
  const cookie = kind === 'forged' ? token.slice(0, -8) : token
  return {
    body: JSON.stringify({ roomId, userId, userName: `User ${userId}`, role: asked % 4 === 0 ? 'recorder' : 'replayer' }),
    headers: { 'content-type': 'application/json', cookie: `lang=en; ccmessaging-token=${cookie}` }
  }
}

/** One request for each known room. */
export const knownRooms = () => Array.from({ length: ROOMS }, () => nextRequest('known', ''))
