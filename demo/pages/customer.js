// Shares the page: asks for consent, shows it for as long as it lasts, and ends it for both sides.
import { startRecorder } from '/demo/recorder/index.js'
import { record } from '/demo/rrweb/rrweb.js'
import './application.js'
import { enterRoom, readUser, roomId, show } from './room.js'

const element = (id) => document.getElementById(id)
const [status, share, consent, sharing, watchers] = ['status', 'share', 'consent', 'sharing', 'watchers'].map(element)
/** A reload does not end the consent; the end of the tab does. */
const CONSENT = `shared ${roomId}`

let connection
let recorder

function start () {
  sessionStorage.setItem(CONSENT, 'yes')
  showSharing(true)
  connection = enterRoom({ userId: readUser('customer'), userName: 'Li Na', role: 'recorder', statusElement: status })
  recorder = startRecorder({ connection, record })
  recorder.on('state', tell)
  recorder.on('watchers', tell)
  recorder.on('note', ({ code, text }) => { if (code === 'too-large') show(status, 'bad', text) })
  connection.on('close', (error) => { if (error !== undefined) cease() })
  tell()
}

function tell () {
  if (recorder.state === 'standby') watchers.textContent = 'Another tab of yours is the one that is seen.'
  else if (recorder.state === 'watched') watchers.textContent = `Watching: ${recorder.watchers.join(', ')}`
  else watchers.textContent = 'No agent is watching.'
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
