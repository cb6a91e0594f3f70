// Shows the customer's page, and its state in words.
import { createReplay } from './replay.js'
import { enterRoom, readUser, roomId } from './room.js'

const element = (id) => document.getElementById(id)
const note = element('note')

let recorder
let hasPicture = false

const replay = createReplay(element('replay'), {
  onPicture () {
    hasPicture = true
    note.textContent = ''
  },
  onRefused (reason) {
    note.textContent = `What the customer's page sent cannot be shown: ${reason}.`
  },
  onStuck: () => connection.send('snapshot')
})

const connection = enterRoom({
  userId: readUser('agent'), userName: 'Anna', role: 'replayer', statusElement: element('status'), onMembers, onPeer
})

function onMembers ({ recorder: seen, members }) {
  const customer = members.find(({ id }) => id === seen)
  const others = members.filter(({ role }) => role === 'replayer').length - 1
  element('people').textContent = [
    customer === undefined ? 'No customer in the room' : `Customer: ${customer.name}`,
    ...others > 0 ? [`${others} more watching`] : []
  ].join(' · ')
  if (customer === undefined) {
    note.textContent = hasPicture ? 'The customer stopped sharing, or has left.' : 'Waiting for the customer to share the page.'
  } else if (customer.id !== recorder) note.textContent = 'Waiting for the picture …'
  recorder = customer?.id
}

function onPeer (text) {
  if (recorder !== undefined) replay.take(text)
}

// The numbers of members are the node's own.
connection.on('open', () => { recorder = undefined })
element('room').textContent = roomId
