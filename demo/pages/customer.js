// Shares the page: asks for consent, shows it for as long as it lasts, and ends it for both sides.
import './application.js'
import { startRecorder } from './recorder.js'
import { enterRoom, readUser, roomId, show } from './room.js'

const element = (id) => document.getElementById(id)
const [status, share, consent, sharing, watchers] = ['status', 'share', 'consent', 'sharing', 'watchers'].map(element)
/** A reload does not end the consent; the end of the tab does. */
const CONSENT = `shared ${roomId}`

let connection
let recorder
/** Replayers that have the whole page. */
let known = new Set()

function start () {
  sessionStorage.setItem(CONSENT, 'yes')
  showSharing(true)
  watchers.textContent = ''
  connection = enterRoom({
    userId: readUser('customer'), userName: 'Li Na', role: 'recorder', statusElement: status, onMembers, onPeer
  })
  recorder = startRecorder(connection, onTooLarge)
  // The numbers of members are the node's own, and no replayer of the next node has seen the page.
  connection.on('open', () => { known = new Set() })
  connection.on('close', (error) => { if (error !== undefined) cease() })
}

function onMembers ({ you, recorder: seen, members }) {
  const replayers = members.filter(({ role }) => role === 'replayer')
  const isSeen = seen === you
  if (!isSeen) watchers.textContent = 'Another tab of yours is the one that is seen.'
  else if (replayers.length === 0) watchers.textContent = 'No agent is watching.'
  else watchers.textContent = `Watching: ${replayers.map(({ name }) => name).join(', ')}`

  const before = known
  known = new Set(isSeen ? replayers.map(({ id }) => id) : [])
  if (known.size === 0) recorder.rest()
  else if ([...known].some((id) => !before.has(id))) recorder.show()
}

/** A replayer can only say that it needs the whole page again. */
function onPeer (text) {
  if (text === 'snapshot' && known.size > 0) recorder.show()
}

function onTooLarge () {
  cease()
  connection.close()
  show(status, 'bad', 'This page is too large to be shared.')
}

/** Nothing leaves the page from here on, regardless of the network. */
function cease () {
  sessionStorage.removeItem(CONSENT)
  showSharing(false)
  recorder.stop()
}

async function stop () {
  const ending = connection
  cease()
  show(status, 'warn', 'Ending …')
  try {
    await ending.endCall()
    show(status, '', 'Not shared any more')
  } catch (error) {
    ending.close()
    show(status, 'warn', `Not shared any more. The gateway could not be told: ${error.message}`)
  }
}

function showSharing (isShared) {
  sharing.hidden = !isShared
  share.hidden = isShared
  document.body.classList.toggle('is-shared', isShared)
}

element('room').textContent = roomId
share.addEventListener('click', () => consent.showModal())
consent.addEventListener('close', () => { if (consent.returnValue === 'yes') start() })
element('stop').addEventListener('click', () => {
  stop()
  share.focus()
})
if (sessionStorage.getItem(CONSENT) === 'yes') start()
