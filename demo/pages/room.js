// The parts that both sides of a room share: their identity, the way in, and the texts for the connection's state.
import { connect } from '/demo/client/index.js'

/** Relay nodes send a sign of life every 5 s. */
const IDLE_TIMEOUT_MS = 12_000
/** Short, since a viewer already waits for the lease of a node that ended. */
const MAX_WAIT_MS = 500

export const roomId = new URLSearchParams(window.location.search).get('room') || 'demo-room'

const WORDS = {
  asking: ['warn', 'Asking the gateway where the room is …'],
  opening: ['warn', 'Connecting to the node of the room …'],
  open: ['good', 'Connected']
}

/** The customer is the same in all tabs, since only the same one may take over in a second tab. */
const STORES = { customer: localStorage, recorder: localStorage, agent: sessionStorage, replayer: sessionStorage }

/** The user, unchanged by a reload. */
export function readUser (kind) {
  const store = STORES[kind]
  const userId = store.getItem(`${kind}-id`) ?? `${kind}-${crypto.randomUUID().slice(0, 8)}`
  store.setItem(`${kind}-id`, userId)
  return userId
}

/**
 * Replaces the sign-in of a real site. The page holds the token instead of a cookie, so that both sides fit in one
 * browser.
 */
async function signIn (userId, userName) {
  const response = await fetch('/demo/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    credentials: 'omit',
    body: JSON.stringify({ userId, userName })
  })
  if (!response.ok) throw new Error(`the sign-in answered ${response.status}`)
  return (await response.json()).token
}

/**
 * Enters the room. Messages of the node are told apart from those of the other side.
 *
 * @param options.onMembers called at every change with the members, and this page's own member
 * @param options.onPeer a message of the other side, as text
 */
export function enterRoom ({ userId, userName, role, statusElement, onMembers = () => {}, onPeer = () => {} }) {
  const store = STORES[role]
  let token
  const connection = connect({
    roomId,
    userId,
    userName,
    role,
    maxWait: MAX_WAIT_MS,
    idleTimeout: IDLE_TIMEOUT_MS,
    async token (isRefused) {
      // A user has one live token: that of another tab is shared, not replaced.
      const kept = store.getItem(`${userId}-token`)
      token = kept === null || (isRefused && kept === token) ? await signIn(userId, userName) : kept
      store.setItem(`${userId}-token`, token)
      return token
    },
    onMessage (message) {
      if (typeof message !== 'string') return onPeer?.(new TextDecoder().decode(message))
      const told = JSON.parse(message)
      if (told.type === 'members') onMembers?.(told)
    }
  })
  connection.on('state', (state) => {
    if (state in WORDS) show(statusElement, ...WORDS[state])
  })
  connection.on('retry', ({ error }) => show(statusElement, 'warn', toWords(error)))
  connection.on('close', (error) => {
    if (error !== undefined) show(statusElement, 'bad', `Not connected: ${error.message} (${error.code})`)
  })
  return connection
}

export function show (element, kind, text) {
  element.className = `status ${kind}`
  element.textContent = text
}

function toWords ({ code, message }) {
  switch (code) {
    case 4410: return 'The room has moved; following it …'
    case 'lost': return 'The connection was lost; asking where the room is now …'
    case 'unopened': return 'The node of the room does not answer; asking again …'
    case 'unreachable': return 'The gateway does not answer; asking again …'
    default: return `${message} (${code}); asking again …`
  }
}
