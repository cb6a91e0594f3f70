// What may be replayed. The page that is replayed belongs to somebody else, and its script may have been replaced by
// an attacker's: an event is copied field by field, elements and attributes by lists of what is harmless. Behind this
// stand the sandbox of the frame, which runs no script, and the policy of the page, by which no style fetches anything.

const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_NODES = 50_000
const MAX_DEPTH = 250
const MAX_PIXELS = 20_000

const FULL_SNAPSHOT = 2
const INCREMENTAL = 3
const META = 4

const words = (text) => new Set(text.trim().split(/\s+/))

const ELEMENTS = words(`
  html head body title style
  header footer main nav aside section article address h1 h2 h3 h4 h5 h6 hgroup search
  p div span pre code blockquote q hr br wbr ul ol li dl dt dd menu figure figcaption center font
  a abbr b bdi bdo cite data del dfn em i ins kbd mark rp rt ruby s samp small strong strike sub sup time tt u var
  table caption colgroup col thead tbody tfoot tr td th
  form label input textarea select optgroup option datalist button fieldset legend output progress meter
  details summary dialog slot img picture
  svg g path rect circle ellipse line polyline polygon text tspan defs use symbol clippath lineargradient
  radialgradient stop mask pattern title desc marker`)

const ATTRIBUTES = words(`
  id class style title lang dir hidden role name for type value placeholder checked selected disabled readonly required
  multiple rows cols size maxlength min max step pattern colspan rowspan span scope headers width height alt label open
  start reversed align valign bgcolor color border cellpadding cellspacing low high optimum datetime wrap list
  inputmode rr_width rr_height rr_left rr_top rr_scrollleft rr_scrolltop _csstext
  xmlns viewbox preserveaspectratio x y x1 y1 x2 y2 cx cy r rx ry d points transform fill fill-opacity fill-rule
  clip-rule clip-path stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray stroke-dashoffset
  stroke-opacity stroke-miterlimit opacity offset stop-color stop-opacity gradientunits gradienttransform fx fy
  font-size font-family font-weight text-anchor dominant-baseline dx dy mask patternunits markerwidth markerheight
  refx refy orient`)

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isId = (value) => Number.isInteger(value) && value >= -1
const isText = (value) => typeof value === 'string'
const isSize = (value) => Number.isFinite(value) && value >= 0 && value <= MAX_PIXELS
const listOf = (value) => Array.isArray(value) ? value : []
const numberOf = (value) => Number.isFinite(value) ? value : 0

class Refusal extends Error {}

/**
 * @returns {{ event?: object, refusal?: string }} an event that can be replayed; or why not, unless it is of a kind
 *   that is not shown anyway
 */
export function readEvent (text) {
  try {
    if (text.length > MAX_CHARACTERS) throw new Refusal('it is too large')
    const { type, data } = parse(text)
    if (!isObject(data)) return {}
    // The time is set by who replays it.
    if (type === META) return { event: { type, data: readMeta(data), timestamp: 0 } }
    if (type === FULL_SNAPSHOT) return { event: { type, data: readSnapshot(data), timestamp: 0 } }
    const change = type === INCREMENTAL && Object.hasOwn(CHANGES, data.source) && CHANGES[data.source](data)
    return change ? { event: { type, data: { ...change, source: data.source }, timestamp: 0 } } : {}
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error.message }
    throw error
  }
}

function parse (text) {
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
  const read = readNode(node, { left: MAX_NODES }, 0)
  if (read?.type !== 0) throw new Refusal('it is not a document')
  return { node: read, initialOffset: { left: numberOf(left), top: numberOf(top) } }
}

/** A node as it may be rebuilt, ids and places as they are: what comes later refers to them. */
function readNode (node, budget, depth) {
  if (!isObject(node) || !isId(node.id)) throw new Refusal('a part of it is no node')
  if (--budget.left < 0) throw new Refusal(`it has more than ${MAX_NODES} parts`)
  if (depth > MAX_DEPTH) throw new Refusal(`it is more than ${MAX_DEPTH} levels deep`)
  const { id, type, rootId, isShadow } = node
  const base = { id, type, ...isId(rootId) && { rootId }, ...isShadow === true && { isShadow } }
  switch (type) {
    case 0: return { ...base, childNodes: readChildren(node, budget, depth) }
    case 1: return { ...base, name: 'html', publicId: '', systemId: '' }
    case 2: return { ...base, ...readElement(node, budget, depth) }
    case 3: return { ...base, textContent: String(node.textContent), ...node.isStyle === true && { isStyle: true } }
    default: return { ...base, type: 5, textContent: '' }
  }
}

const readChildren = ({ childNodes }, budget, depth) =>
  listOf(childNodes).map((child) => readNode(child, budget, depth + 1))

function readElement (node, budget, depth) {
  const { attributes, isSVG, needBlock, isShadowHost } = node
  const tagName = String(node.tagName).toLowerCase()
  const flags = {
    ...isSVG === true && { isSVG },
    ...needBlock === true && { needBlock },
    ...isShadowHost === true && { isShadowHost }
  }
  const read = readAttributes(attributes)
  // A stylesheet whose text came along needs no address.
  if (tagName === 'link' && isText(read._cssText)) {
    return { tagName: 'style', attributes: { _cssText: read._cssText }, childNodes: [] }
  }
  // What is not shown keeps its place, and nothing else.
  if (!ELEMENTS.has(tagName)) return { tagName: 'span', attributes: { hidden: '' }, childNodes: [] }
  return { tagName, attributes: read, childNodes: readChildren(node, budget, depth), ...flags }
}

function readAttributes (attributes) {
  const read = {}
  for (const [name, value] of Object.entries(Object(attributes))) {
    const known = name.toLowerCase()
    if (known === 'src' && isText(value) && /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(value)) read.src = value
    else if (known === 'style' && isObject(value)) read.style = readStyle(value)
    else if (ATTRIBUTES.has(known) || /^aria-[a-z]+$/.test(known)) {
      if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) read[name] = value
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
const move = ({ positions }) => ({ positions: listOf(positions).filter(isObject).slice(-100).map(readPosition) })

const readRule = (it) => ({
  ...isText(it.rule) && { rule: it.rule },
  ...Number.isInteger(it.index) && { index: it.index },
  ...Array.isArray(it.index) && it.index.every(Number.isInteger) && { index: it.index }
})
const readRules = (value) => listOf(value).filter(isObject).slice(0, 1000).map(readRule)

function readMutation ({ adds, removes, texts, attributes }) {
  const budget = { left: MAX_NODES }
  return {
    adds: listOf(adds).filter((it) => isObject(it) && isId(it.parentId)).map(({ parentId, nextId, node }) =>
      ({ parentId, nextId: isId(nextId) ? nextId : null, node: readNode(node, budget, 0) })),
    removes: listOf(removes).filter((it) => isObject(it) && isId(it.id) && isId(it.parentId))
      .map(({ id, parentId, isShadow }) => ({ id, parentId, ...isShadow === true && { isShadow } })),
    texts: listOf(texts).filter((it) => isObject(it) && isId(it.id))
      .map(({ id, value }) => ({ id, value: isText(value) ? value : '' })),
    attributes: listOf(attributes).filter((it) => isObject(it) && isId(it.id))
      .map((it) => ({ id: it.id, attributes: readAttributes(it.attributes) }))
  }
}

/** By the number that rrweb gives to the kind of change. What is not here is not shown: media, canvas, fonts, logs. */
const CHANGES = {
  0: readMutation,
  1: move,
  2: ({ type, id, x, y }) => Number.isInteger(type) && isId(id) && { type, id, x: numberOf(x), y: numberOf(y) },
  3: ({ id, x, y }) => isId(id) && { id, x: numberOf(x), y: numberOf(y) },
  4: ({ width, height }) => isSize(width) && isSize(height) && { width, height },
  5: ({ id, text, isChecked }) => isId(id) && isText(text) && { id, text, isChecked: isChecked === true },
  6: move,
  8: ({ id, adds, removes, replace, replaceSync }) => isId(id) && {
    id,
    adds: readRules(adds),
    removes: readRules(removes),
    ...isText(replace) && { replace },
    ...isText(replaceSync) && { replaceSync }
  },
  12: move
}
