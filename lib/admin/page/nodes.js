// The table of nodes. Rows stay the same elements from one answer to the next, so that a button keeps the focus.
import { orderInWords, toAge } from './words.js'

const COLUMNS = {
  Node: ({ id }) => id,
  State: ({ state }) => state,
  Rooms: ({ rooms }) => rooms,
  Capacity: ({ capacity }) => capacity,
  Zone: ({ zone }) => zone,
  Heard: ({ heardAgo }) => heardAgo === undefined ? undefined : `${toAge(heardAgo)} ago`,
  Address: ({ wssUrl, fault }) => wssUrl ?? fault,
  Order: ({ order }, now) => order === undefined ? undefined : orderInWords(order, now)
}
const NONE = '–'

/** @param verbs of a node: `{ name, label, isPossible (node) }` */
export function createTable (body, verbs, onVerb) {
  const rows = new Map()

  function rowOf (id) {
    const row = rows.get(id) ?? createRow(id, verbs, onVerb)
    rows.set(id, row)
    return row
  }

  return {
    draw (nodes, now) {
      for (const [at, node] of nodes.entries()) {
        const row = rowOf(node.id)
        row.draw(node, now)
        // Moving an element takes the focus from it.
        if (body.children[at] !== row.element) body.insertBefore(row.element, body.children[at] ?? null)
      }
      for (const [id, { element }] of rows) {
        if (nodes.some((node) => node.id === id)) continue
        element.remove()
        rows.delete(id)
      }
    }
  }
}

function createRow (id, verbs, onVerb) {
  const element = make('tr', 'row')
  element.dataset.node = id
  const cells = Object.keys(COLUMNS).map((title) => {
    const cell = title === 'Node' ? make('th', 'rowheader') : make('td', 'cell')
    if (title === 'Node') cell.scope = 'row'
    cell.dataset.title = title
    return cell
  })
  const buttons = verbs.map(({ name, label }) => {
    const button = make('button')
    button.type = 'button'
    button.className = 'plain small'
    button.dataset.verb = name
    button.textContent = label
    button.setAttribute('aria-label', `${label}: ${id}`)
    button.addEventListener('click', () => onVerb(name, id))
    return button
  })
  const actions = make('td', 'cell')
  const line = make('div')
  line.className = 'buttons'
  line.append(...buttons)
  actions.append(line)
  element.append(...cells, actions)

  return {
    element,
    draw (node, now) {
      element.dataset.state = node.state
      for (const [at, read] of Object.values(COLUMNS).entries()) setText(cells[at], read(node, now) ?? NONE)
      for (const [at, { isPossible }] of verbs.entries()) buttons[at].disabled = !isPossible(node)
    }
  }
}

function make (tag, role) {
  const made = document.createElement(tag)
  // Styles for phones turn rows into blocks, which would take the meaning of a table from them.
  if (role !== undefined) made.setAttribute('role', role)
  return made
}

function setText (element, value) {
  const text = String(value)
  if (element.textContent !== text) element.textContent = text
}
