// Shows the customer's page, and its state in words.
import { createReplayer } from '/demo/replayer/index.js'
import { Replayer } from '/demo/rrweb/rrweb.js'
import { enterRoom, readUser, roomId } from './room.js'

const element = (id) => document.getElementById(id)
const note = element('note')

const WORDS = {
  waiting: 'Waiting for the customer to share the page.',
  loading: 'Waiting for the picture …',
  showing: '',
  gone: 'The customer stopped sharing, or has left.'
}

const connection = enterRoom({
  userId: readUser('agent'), userName: 'Anna', role: 'replayer', statusElement: element('status')
})
const replayer = createReplayer({ root: element('replay'), connection, Replayer, title: 'The customer\'s page' })

replayer.on('state', (state) => { note.textContent = WORDS[state] })
replayer.on('picture', () => { note.textContent = WORDS[replayer.state] })
replayer.on('refused', (reason) => {
  note.textContent = `What the customer's page sent cannot be shown: ${reason}.`
})
replayer.on('note', ({ text }) => { element('about').textContent = text })
replayer.on('members', ({ recorder, members }) => {
  const customer = members.find(({ id }) => id === recorder)
  const others = members.filter(({ role }) => role === 'replayer').length - 1
  element('people').textContent = [
    customer === undefined ? 'No customer in the room' : `Customer: ${customer.name}`,
    ...others > 0 ? [`${others} more watching`] : []
  ].join(' · ')
})
element('room').textContent = roomId
