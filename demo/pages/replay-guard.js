// Decides which events may be replayed. The replayed page is another person's, and an attacker may have replaced its
// script: an event is copied field by field, elements and attributes by lists of harmless ones. Two more defences stand
// behind this one: the sandbox of the frame, which runs no script, and the policy of the page, by which no style
// fetches anything.
import { ATTRIBUTES, ELEMENTS, SHADOW_HOSTS } from './harmless.js'

const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_NODES = 50_000
const MAX_DEPTH = 250
const MAX_PIXELS = 20_000

/** Counted in the event's JSON, in which an element is an object and a list. */
const MAX_BRACKETS = 2 * MAX_DEPTH + 10

const FULL_SNAPSHOT = 2
const INCREMENTAL = 3
const META = 4

/** rrweb's name for parts that the recorder hid. */
const HIDDEN_CLASS = 'rr-block'

/** Attributes that may refer to a part of the page. Styles are left to the policy of the page. */
const PAINTS = new Set(['fill', 'stroke', 'mask', 'clip-path'])
const FOREIGN_URL = /url\(\s*["']?(?!["']?#)/i

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isId = (value) => Number.isInteger(value) && value > 0
const isText = (value) => typeof value === 'string'
const textOf = (value) => isText(value) ? value : ''
const isSize = (value) => Number.isFinite(value) && value >= 0 && value <= MAX_PIXELS
const listOf = (value) => Array.isArray(value) ? value : []
const numberOf = (value) => Number.isFinite(value) ? value : 0

class Refusal extends Error {}

/**
 * @returns {{ event?: object, refusal?: string }} an event that can be replayed; or the reason why not, unless the
 *   event is of a kind that is never shown
 */
export function readEvent (text) {
  try {
    if (text.length > MAX_CHARACTERS) throw new Refusal('it is too large')
    const { type, data } = parse(text)
    if (!isObject(data)) return {}
    // The replayer sets the time.
    if (type === META) return { event: { type, data: readMeta(data), timestamp: 0 } }
    if (type === FULL_SNAPSHOT) return { event: { type, data: readSnapshot(data), timestamp: 0 } }
    const isShown = type === INCREMENTAL && Number.isInteger(data.source) && Object.hasOwn(CHANGES, data.source)
    const change = isShown && CHANGES[data.source](data)
    return change ? { event: { type, data: { ...change, source: data.source }, timestamp: 0 } } : {}
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error.message }
    throw error
  }
}

/** A million brackets would keep the parser busy for seconds. */
function isDeep (text) {
  let depth = 0
  let isQuoted = false
  for (let place = 0; place < text.length && depth <= MAX_BRACKETS; place++) {
    const character = text[place]
    if (character === '"') isQuoted = !isQuoted
    else if (isQuoted && character === '\\') place++
    else if (!isQuoted && (character === '[' || character === '{')) depth++
    else if (!isQuoted && (character === ']' || character === '}')) depth--
  }
  return depth > MAX_BRACKETS
}

function parse (text) {
  if (isDeep(text)) throw new Refusal(`it is more than ${MAX_DEPTH} levels deep`)
  try {
    return Object(JSON.parse(text))
  } catch {
    throw new Refusal('it is not JSON')
  }
}

function readMeta ({ width, height }) {
  if (!isSize(width) || !isSize(height)) throw new Refusal('it has no size')
  return { href: 'about:blank', width, height }
}

function readSnapshot ({ node, initialOffset }) {
  const { left, top } = Object(initialOffset)
  return { node: readDocument(node), initialOffset: { left: numberOf(left), top: numberOf(top) } }
}

/** A document that has two roots, or none, cannot be built. */
function readDocument (node) {
  if (!isObject(node) || node.type !== 0 || !isId(node.id)) throw new Refusal('it is not a document')
  const children = listOf(node.childNodes).filter(isObject)
  const root = children.find(({ type }) => type === 2)
  if (textOf(root?.tagName).toLowerCase() !== 'html') throw new Refusal('it is not a page')
  const doctype = children.find(({ id, type }) => type === 1 && isId(id) && id !== node.id && id !== root.id)
  const before = doctype === undefined ? [] : [{ id: doctype.id, type: 1, name: 'html', publicId: '', systemId: '' }]
  const budget = { left: MAX_NODES, seen: new Set([node.id, root.id, ...before.map(({ id }) => id)]) }
  return { id: node.id, type: 0, childNodes: [...before, readNode({ ...root, isSVG: false }, budget, 1)] }
}

/** A node as it may be rebuilt, with ids and places unchanged: later events refer to them. */
function readNode (node, budget, depth) {
  if (!isObject(node) || !isId(node.id)) throw new Refusal('a part of it is no node')
  if (--budget.left < 0) throw new Refusal(`it has more than ${MAX_NODES} parts`)
  if (depth > MAX_DEPTH) throw new Refusal(`it is more than ${MAX_DEPTH} levels deep`)
  const { id, type, isShadow } = node
  const base = { id, type, ...isShadow === true && { isShadow } }
  switch (type) {
    case 2: return { ...base, ...readElement(node, budget, depth) }
    case 3: return { ...base, textContent: textOf(node.textContent), ...node.isStyle === true && { isStyle: true } }
    default: return { ...base, type: 5, textContent: '' }
  }
}

/** A part with the number of another part would be mistaken for that one. */
function readChildren ({ childNodes }, budget, depth) {
  const read = []
  for (const child of listOf(childNodes)) {
    if (budget.seen.has(child?.id)) continue
    budget.seen.add(child?.id)
    read.push(readNode(child, budget, depth + 1))
  }
  return read
}

function readElement (node, budget, depth) {
  const { attributes, isSVG, needBlock, isShadowHost } = node
  const tagName = textOf(node.tagName).toLowerCase()
  const read = readAttributes(attributes, tagName)
  // A stylesheet whose text came along needs no address.
  if (tagName === 'link' && isText(read._cssText)) {
    return { tagName: 'style', attributes: { _cssText: read._cssText }, childNodes: [] }
  }
  // An element that is not shown keeps its place, and nothing else.
  if (!ELEMENTS.has(tagName)) return { tagName: 'span', attributes: { hidden: '' }, childNodes: [] }
  return {
    tagName,
    attributes: needBlock === true || isText(read.rr_width) ? showAsHidden(read) : read,
    childNodes: readChildren(node, budget, depth),
    ...isSVG === true && { isSVG },
    ...isShadowHost === true && isSVG !== true && SHADOW_HOSTS.has(tagName) && { isShadowHost }
  }
}

/** Only hidden elements are recorded with their size. */
function showAsHidden (attributes) {
  const classes = textOf(attributes.class).split(/\s+/).filter((name) => name !== '' && name !== HIDDEN_CLASS)
  const { rr_width: width, rr_height: height } = attributes
  const isAbsent = width === '0px' && height === '0px'
  return { ...attributes, class: [...classes, HIDDEN_CLASS].join(' '), ...isAbsent && { hidden: '' } }
}

function readAttributes (attributes, tagName) {
  const read = {}
  for (const [name, value] of Object.entries(Object(attributes))) {
    const known = name.toLowerCase()
    if (known === 'src' && isText(value) && /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(value)) read.src = value
    else if (known === 'style' && isObject(value)) read.style = readStyle(value)
    // The name of a form or an image hides a method of the document from rrweb.
    else if (ATTRIBUTES.has(known) || /^aria-[a-z]+$/.test(known) || (known === 'name' && tagName === 'input')) {
      const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value)
      if (isPlain && !(PAINTS.has(known) && FOREIGN_URL.test(value))) read[name] = value
    }
  }
  return read
}

/** A change of single properties: a value, a value with its priority, or `false` for none. */
function readStyle (value) {
  const isValue = (it) => it === false || isText(it) || (Array.isArray(it) && it.length === 2 && it.every(isText))
  return Object.fromEntries(Object.entries(value).filter(([, it]) => isValue(it)))
}

const readPosition = ({ x, y, id, timeOffset }) => ({
  x: numberOf(x), y: numberOf(y), id: isId(id) ? id : -1, timeOffset: Math.min(0, Math.max(-500, numberOf(timeOffset)))
})
/** A move without positions would stop the clock of the replayer. */
function move ({ positions }) {
  const read = listOf(positions).filter(isObject).slice(-100).map(readPosition)
  return read.length > 0 && { positions: read }
}

const readRule = (it) => ({
  ...isText(it.rule) && { rule: it.rule },
  ...Number.isInteger(it.index) && { index: it.index },
  ...Array.isArray(it.index) && it.index.every(Number.isInteger) && { index: it.index }
})
const readRules = (value) => listOf(value).filter(isObject).slice(0, 1000).map(readRule)

/** Each node arrives separately, and without its children. */
function readAdd ({ parentId, nextId, node }) {
  const read = readNode({ ...Object(node), childNodes: [] }, { left: 1, seen: new Set() }, 0)
  return { parentId, nextId: isId(nextId) ? nextId : null, node: read }
}

function readMutation ({ adds, removes, texts, attributes }) {
  return {
    adds: listOf(adds).filter((it) => isObject(it) && isId(it.parentId) && it.node?.type !== 0).map(readAdd),
    removes: listOf(removes).filter((it) => isObject(it) && isId(it.id) && isId(it.parentId))
      .map(({ id, parentId, isShadow }) => ({ id, parentId, ...isShadow === true && { isShadow } })),
    texts: listOf(texts).filter((it) => isObject(it) && isId(it.id))
      .map(({ id, value }) => ({ id, value: textOf(value) })),
    attributes: listOf(attributes).filter((it) => isObject(it) && isId(it.id))
      .map((it) => ({ id: it.id, attributes: readAttributes(it.attributes) }))
  }
}

const MOUSE_ACTIONS = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10]

/** Readers by rrweb's number for the kind of change. Kinds not listed are not shown: media, canvas, fonts, logs. */
const CHANGES = {
  0: readMutation,
  1: move,
  2: ({ type, id, x, y }) => MOUSE_ACTIONS.includes(type) && isId(id) && { type, id, x: numberOf(x), y: numberOf(y) },
  3: ({ id, x, y }) => isId(id) && { id, x: numberOf(x), y: numberOf(y) },
  4: ({ width, height }) => isSize(width) && isSize(height) && { width, height },
  5: ({ id, text, isChecked }) => isId(id) && isText(text) && { id, text, isChecked: isChecked === true },
  6: move,
  8: ({ id, adds, removes }) => isId(id) && { id, adds: readRules(adds), removes: readRules(removes) },
  12: move
}
