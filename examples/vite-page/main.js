import { connect } from 'fastify-cobrowse/client'

const query = new URLSearchParams(window.location.search)
const roomId = query.get('room') ?? 'example-room'
const role = query.get('role') ?? 'recorder'
const userId = role === 'recorder' ? 'customer-1' : 'agent-1'

const text = document.querySelector('#text')
const state = document.querySelector('#state')
const problem = document.querySelector('#problem')
text.readOnly = role === 'replayer'

const connection = connect({ roomId, userId, userName: userId, role, token: logIn, onMessage })
connection.on('state', (now) => {
  state.value = now
})
connection.on('open', () => {
  problem.textContent = ''
  // A node that is new to this page has seen nothing yet: the customer sends everything, and the agent asks for it.
  connection.send(JSON.stringify(role === 'recorder' ? { text: text.value } : { wants: 'text' }))
})
connection.on('retry', ({ error, wait }) => {
  problem.textContent = `${error.message}; trying again in ${Math.round(wait / 1000)} s`
})
connection.on('close', (error) => {
  problem.textContent = error?.message ?? ''
})
text.addEventListener('input', () => connection.send(JSON.stringify({ text: text.value })))

function onMessage (message) {
  const received = JSON.parse(message)
  if (role === 'replayer' && typeof received.text === 'string') text.value = received.text
  if (role === 'recorder' && received.wants === 'text') connection.send(JSON.stringify({ text: text.value }))
}

/** Stands for the login of your site. A page whose visitors have the cookie `ccmessaging-token` needs no `token`. */
async function logIn () {
  const response = await fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId })
  })
  return (await response.json()).token
}
