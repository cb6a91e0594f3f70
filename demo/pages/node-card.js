// One node: its state, its rooms and their members, and the buttons to stop, drain or resume it.
const KINDS = {
  serving: 'good',
  starting: 'warn',
  cordoned: 'warn',
  draining: 'warn',
  lapsed: 'warn',
  drained: 'warn',
  replaced: 'bad',
  stopped: 'bad',
  closed: 'bad'
}
const ACTIONS = { stop: 'Stop hard', drain: 'Drain', resume: 'Bring back' }
const CAN = {
  stop: ['serving', 'cordoned', 'draining', 'lapsed', 'starting'],
  drain: ['serving', 'cordoned', 'lapsed'],
  resume: ['stopped', 'cordoned', 'draining', 'replaced']
}

function make (tag, className = '', ...children) {
  const made = document.createElement(tag)
  made.className = className
  made.append(...children)
  return made
}

/** @param onAction called with `stop`, `drain` or `resume` */
export function createNodeCard ({ id, wssUrl }, onAction) {
  const badge = make('span', 'badge')
  const rooms = make('ul', 'rooms')
  rooms.setAttribute('aria-label', `Rooms of ${id}`)
  const buttons = Object.entries(ACTIONS).map(([action, text]) => {
    const button = make('button', 'plain small', text)
    button.type = 'button'
    button.dataset.action = action
    button.setAttribute('aria-label', `${text}: ${id}`)
    button.addEventListener('click', () => onAction(action))
    return button
  })
  const element = make('section', 'card node',
    make('div', 'row head', make('h2', '', id), badge),
    make('p', 'soft small address', wssUrl), rooms, make('div', 'row buttons', ...buttons))
  element.dataset.node = id
  let drawn = ''

  return {
    element,
    draw (node, watched) {
      const text = JSON.stringify(node)
      if (text === drawn) return
      drawn = text
      const kind = KINDS[node.state] ?? ''
      element.className = `card node ${kind}`
      element.dataset.state = node.state
      badge.className = `badge ${kind}`
      badge.textContent = node.state === 'stopped' && node.isListed ? 'stopped, still listed' : node.state
      for (const button of buttons) {
        button.disabled = !node.canAct || !CAN[button.dataset.action].includes(node.state)
      }
      rooms.replaceChildren(...drawRooms(node, watched))
    }
  }
}

function drawRooms ({ rooms, roomCount, canAct }, watched) {
  if (rooms.length > 0) return rooms.map((room) => drawRoom(room, room.room === watched))
  const text = !canAct && roomCount > 0 ? `${roomCount} rooms of a process that cannot be asked` : 'No open room'
  return [make('li', 'none', text)]
}

function drawRoom ({ room, members }, isWatched) {
  const who = members.map(({ name, role }) =>
    make('span', `badge ${role}`, `${name} · ${role === 'recorder' ? 'customer' : 'agent'}`))
  const drawn = make('li', isWatched ? 'is-watched' : '', make('strong', '', room), make('div', 'who', ...who))
  drawn.dataset.room = room
  return drawn
}
