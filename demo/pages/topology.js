// Draws the present nodes and rooms, and has the buttons that cause failures.
import { askProcesses, act } from './processes.js'
import { createNodeCard } from './node-card.js'

const POLL_MS = 500
const MAX_LINES = 200
const LEASE_WORDS = {
  memory: 'In memory, the end of a node is known at once.',
  redis: 'On Redis, a node that was stopped hard is missed when its lease of 6 s ends.',
  zookeeper: 'On ZooKeeper, a node that was stopped hard is missed when its session of 4 s ends.'
}

const element = (id) => document.getElementById(id)
const watched = new URLSearchParams(window.location.search).get('room')
const cards = new Map()
/** Room to node, and node to state, as they were last drawn. */
let places = new Map()
let states = new Map()
/** Room to node, including rooms that have no node at the moment. */
const lastPlaces = new Map()

function say (text) {
  const line = document.createElement('li')
  const time = document.createElement('time')
  time.textContent = new Date().toLocaleTimeString()
  line.append(time, text)
  const log = element('log')
  if (log.firstElementChild?.className === 'soft') log.replaceChildren()
  log.prepend(line)
  while (log.children.length > MAX_LINES) log.lastElementChild.remove()
}

function draw ({ registry, nodes, unreachable }) {
  element('registry').textContent = registry
  element('lease').textContent = LEASE_WORDS[registry]
  const words = unreachable.length === 0 ? 'Live' : `Live; ${unreachable.join(' and ')} cannot be asked`
  element('status').className = `status ${unreachable.length === 0 ? 'good' : 'warn'}`
  if (element('status').textContent !== words) element('status').textContent = words
  for (const node of nodes) {
    if (!cards.has(node.id)) {
      const card = createNodeCard(node, (action) => perform(node.id, action))
      cards.set(node.id, card)
      element('nodes').append(card.element)
    }
    cards.get(node.id).draw(node, watched)
  }
  for (const [id, card] of cards) {
    if (nodes.some((node) => node.id === id)) continue
    card.element.remove()
    cards.delete(id)
  }
  tell(nodes)
}

function tell (nodes) {
  const nowPlaces = new Map(nodes.flatMap(({ id, rooms }) => rooms.map(({ room }) => [room, id])))
  const nowStates = new Map(nodes.map(({ id, state }) => [id, state]))
  for (const [id, state] of nowStates) {
    if (states.has(id) && states.get(id) !== state) say(`Node ${id}: ${states.get(id)} → ${state}`)
  }
  for (const [room, id] of nowPlaces) {
    const before = lastPlaces.get(room)
    lastPlaces.set(room, id)
    if (before === undefined) say(`Room ${room} opened on ${id}`)
    else if (before !== id) say(`Room ${room} moved from ${before} to ${id}`)
  }
  for (const room of places.keys()) if (!nowPlaces.has(room)) say(`Room ${room} is empty`)
  places = nowPlaces
  states = nowStates
}

async function perform (id, action) {
  try {
    await act(id, action)
  } catch (error) {
    say(`Node ${id} could not be asked to ${action}: ${error.message}`)
  }
  await update()
}

let updating
async function update () {
  updating ??= askProcesses().then(draw, (error) => {
    element('status').className = 'status bad'
    element('status').textContent = `This process cannot be asked: ${error.message}`
  }).finally(() => { updating = undefined })
  await updating
}

async function poll () {
  await update()
  setTimeout(poll, POLL_MS)
}
poll()
