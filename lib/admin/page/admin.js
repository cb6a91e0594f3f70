// Reads the nodes every two seconds while the page is visible, and does the verbs.
import { api } from './api.js'
import { askOperator } from './dialog.js'
import { createTable } from './nodes.js'
import { createRoomSection } from './room.js'
import { NODE_VERBS } from './verbs.js'

const POLL_MS = 2000

const element = (id) => document.getElementById(id)
const table = createTable(element('nodes'), NODE_VERBS, onVerb)
const roomSection = createRoomSection(finish)
let operator
let updating
let timer

function onVerb (name, id) {
  const { ask, run, done } = NODE_VERBS.find((verb) => verb.name === name)
  askOperator(ask(id), async (given) => {
    await run(id, given)
    await finish(done(id))
    return buttonOf(id, name)
  })
}

/** The button that opened the dialog, or another one of the node if that button is disabled now. */
function buttonOf (id, name) {
  const buttons = [...document.querySelectorAll('[data-node] [data-verb]')]
    .filter((button) => button.closest('[data-node]').dataset.node === id && !button.disabled)
  return buttons.find(({ dataset }) => dataset.verb === name) ?? buttons[0]
}

async function finish (words) {
  // An answer that is under way may be older than the change.
  await updating
  await update()
  element('said').textContent = words
}

function show (kind, words) {
  const status = element('status')
  status.className = `status ${kind}`
  // A text that is set again is read out again.
  if (status.textContent !== words) status.textContent = words
}

async function read () {
  try {
    operator ??= showOperator(await api.operator())
    const { nodes, now } = await api.nodes()
    table.draw(nodes, now)
    element('none').hidden = nodes.length > 0
    await roomSection.refresh()
    show('good', 'Live')
  } catch (error) {
    show('bad', `Not up to date: ${error.message}`)
  }
}

function showOperator (found) {
  element('author').textContent = `Orders are given as ${found.author}`
  roomSection.draw(found.verbs)
  return found
}

async function update () {
  updating ??= read().finally(() => { updating = undefined })
  await updating
}

async function poll () {
  clearTimeout(timer)
  if (document.hidden) return
  await update()
  clearTimeout(timer)
  timer = setTimeout(poll, POLL_MS)
}

document.addEventListener('visibilitychange', poll)
poll()
