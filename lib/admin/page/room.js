// The section about one room: it tells where the room is, and does the verbs on it.
import { api } from './api.js'
import { askOperator } from './dialog.js'
import { explanationInWords, toAge } from './words.js'

const element = (id) => document.getElementById(id)
const list = element('explanation')
/** The room that is explained at present. */
let shown

/** @param finish shows the words, and brings the page up to date */
export function createRoomSection (finish) {
  element('room-form').addEventListener('submit', (event) => {
    event.preventDefault()
    attempt(async () => await explain(readRoom()))
  })
  element('move').addEventListener('click', () => attempt(async () => await askToMove(finish)))
  element('end').addEventListener('click', () => attempt(async () => askToEnd(finish)))

  return {
    /** @param verbs of the registry */
    draw (verbs) {
      element('room-section').hidden = !verbs.includes('explain')
      element('move').hidden = !verbs.includes('move')
      element('end').hidden = !verbs.includes('end')
    },
    /** Brings an explanation up to date until its room is on the next node. */
    async refresh () {
      if (!shown?.isMoving) return
      await explain(shown, false)
      if (!shown.isMoving) await explain(shown)
    }
  }
}

function readRoom () {
  const form = element('room-form')
  if (!form.reportValidity()) throw new Error('Tenant and room are both needed')
  return { tenant: element('tenant').value.trim(), room: element('room').value.trim() }
}

async function attempt (work) {
  element('room-fault').textContent = ''
  try {
    await work()
  } catch (error) {
    element('room-fault').textContent = error.message
  }
}

/** @param history whether to read it, too: it costs the store more than all the rest */
async function explain ({ tenant, room }, history = true) {
  const { explanation, now } = await api.explain(tenant, room, history)
  shown = { tenant, room, isMoving: ['moving', 'moved'].includes(explanation.binding?.state) }
  draw(room, explanationInWords(explanation, now))
  if (history) drawHistory(explanation.history, now)
  return explanation
}

function draw (room, rows) {
  const texts = [['Room', room], ...rows]
  const isSame = list.childElementCount === texts.length &&
    texts.every(([title, text], at) => list.children[at].textContent === title + text)
  // A text that is set again is read out again.
  if (!isSame) list.replaceChildren(...texts.map(toRow))
}

/** @param events newest first */
function drawHistory (events, now) {
  element('history-title').hidden = events.length === 0
  element('history').replaceChildren(...events.map(({ at, text }) => {
    const entry = document.createElement('li')
    const time = document.createElement('time')
    time.dateTime = new Date(at).toISOString()
    time.textContent = `${toAge(now - at)} ago`
    entry.append(time, ` ${text}`)
    return entry
  }))
}

function toRow ([title, text]) {
  const row = document.createElement('div')
  const name = document.createElement('dt')
  const value = document.createElement('dd')
  name.textContent = title
  value.textContent = text
  row.append(name, value)
  return row
}

async function askToMove (finish) {
  const { tenant, room } = readRoom()
  const { binding, candidates } = await explain({ tenant, room })
  if (binding === undefined) throw new Error('The room is bound to no node, so there is nothing to move')
  askOperator({
    title: `Move the room ${room}`,
    text: `It leaves ${binding.node}: both sides are disconnected, ask again, and get another node.`,
    confirm: 'Move',
    targets: candidates.filter((id) => id !== binding.node)
  }, async ({ reason, to }) => {
    const { outcome, from } = await api.move({ tenant, room, reason, to })
    await explain({ tenant, room })
    await finish(moveInWords(outcome, room, from))
    return element('move')
  })
}

function moveInWords (outcome, room, from) {
  if (outcome === 'unbound') return `The room ${room} is bound to no node.`
  return outcome === 'moved' ? `The room ${room} has left ${from}.` : `The room ${room} leaves ${from}.`
}

function askToEnd (finish) {
  const { tenant, room } = readRoom()
  askOperator({
    title: 'End the call',
    text: `Tenant ${tenant}, room ${room}: both sides are disconnected.`,
    confirm: 'End the call',
    mayOmitReason: true
  }, async ({ reason }) => {
    await api.end(tenant, room, reason)
    await finish(`The call ${room} ended.`)
    return element('end')
  })
}
