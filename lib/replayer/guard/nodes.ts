import { isText, listOf, isId, isObject, Refusal, textOf } from './values.js'
import { asImage, PLACEHOLDER, readAttributes, rebuiltName } from './attributes.js'
import { EMBEDDED, isCustomName, isShown, NEVER_SHOWN, SHADOW_HOSTS } from './harmless.js'
import { MAX_DEPTH } from './parse.js'
import type { Attributes } from './attributes.js'
import type { Fields } from './values.js'

export const MAX_NODES = 500_000

/** rrweb's name for parts that the recorder hid. */
const HIDDEN_CLASS = 'rr-block'

/** An element that is not shown, and its content neither. It gets no attributes later. */
const NO_ELEMENT = '-'
const HTML_NAMES = /^[a-z][a-z0-9]*$/

/** Set by the recorder on a link whose style sheet it cannot read. */
const UNREADABLE = 'data-cobrowse-unreadable'

/** An address in a style that the policy of the picture forbids. */
const FILE = /url\(["']?(?!data:|[#"')])/i

/** Kinds of content that are left out, of which the viewer is told. */
export type LeftOut = 'frames' | 'canvas' | 'media' | 'images' | 'styles' | 'files'

/** State of the picture. An id keeps the name of its element, by which later attributes are judged. */
export interface Known {
  /** Names by id, as they are rebuilt. */
  readonly names: Map<number, string>
  readonly leftOut: Set<LeftOut>
}

export interface Budget {
  left: number
  readonly seen: Set<unknown>
}

export interface SafeNode extends Fields {
  id: number
  type: number
}

/** A node as it may be rebuilt, with ids and places unchanged: later events refer to them. */
export function readNode (node: unknown, known: Known, budget: Budget, depth: number): SafeNode {
  if (!isObject(node) || !isId(node.id)) throw new Refusal('a part of it is no node')
  if (--budget.left < 0) throw new Refusal(`it has more than ${MAX_NODES} parts`)
  if (depth > MAX_DEPTH) throw new Refusal(`it is more than ${MAX_DEPTH} levels deep`)
  const { id, type, isShadow, isStyle } = node
  const base = { id, ...isShadow === true && { isShadow } }
  switch (type) {
    case 2: return { ...base, type, ...readElement(id, node, known, budget, depth) }
    case 3: return { ...base, type, textContent: textOf(node.textContent), ...isStyle === true && { isStyle } }
    default: return { ...base, type: 5, textContent: '' }
  }
}

/** A part with the number of another part would be mistaken for that one. */
function readChildren (childNodes: unknown, known: Known, budget: Budget, depth: number): SafeNode[] {
  const read = []
  for (const child of listOf(childNodes)) {
    const id = isObject(child) ? child.id : undefined
    if (budget.seen.has(id)) continue
    budget.seen.add(id)
    read.push(readNode(child, known, budget, depth + 1))
  }
  return read
}

function readElement (id: number, node: Fields, known: Known, budget: Budget, depth: number): Fields {
  const tag = textOf(node.tagName).toLowerCase()
  const isSVG = node.isSVG === true
  const tagName = nameOf(tag, isSVG)
  known.names.set(id, tagName)
  if (tagName === NO_ELEMENT) return { tagName: 'span', attributes: { hidden: '' }, childNodes: [] }
  const attributes = readElementAttributes(tag, tagName, node.attributes)
  tellLeftOut(tag, attributes, known)
  const isHidden = node.needBlock === true || (isText(attributes.rr_width) && !isReplaced(tagName))
  const isHost = node.isShadowHost === true && !isSVG && (SHADOW_HOSTS.has(tagName) || isCustomName(tagName))
  return {
    tagName,
    attributes: isHidden ? showAsHidden(attributes) : attributes,
    // A style sheet whose address is left out has no content of its own, and an embedded page is an image.
    childNodes: tag === tagName || tagName === 'span' ? readChildren(node.childNodes, known, budget, depth) : [],
    ...isSVG && { isSVG },
    ...node.isCustom === true && !isSVG && isCustomName(tagName) && { isCustom: true },
    ...isHost && { isShadowHost: true }
  }
}

function readElementAttributes (tag: string, tagName: string, attributes: unknown): Attributes {
  const read = readAttributes(attributes, tagName)
  return EMBEDDED.has(tag) ? asImage(tag, read, isObject(attributes) ? attributes.frameborder : undefined) : read
}

/** An HTML element that is not known shows its content; an unknown one of SVG would not. */
function nameOf (tag: string, isSVG: boolean): string {
  const name = rebuiltName(tag)
  if (isSVG) return isShown(tag) ? tag : NO_ELEMENT
  if (isShown(name) || isCustomName(name)) return name
  return HTML_NAMES.test(name) && !NEVER_SHOWN.has(name) ? 'span' : NO_ELEMENT
}

const isReplaced = (tagName: string) => ['img', 'video', 'audio'].includes(tagName)

function tellLeftOut (tag: string, attributes: Attributes, known: Known): void {
  if (tag === 'canvas') known.leftOut.add('canvas')
  else if (EMBEDDED.has(tag)) known.leftOut.add('frames')
  else if (tag === 'video' || tag === 'audio') known.leftOut.add('media')
  else tellLeftOutAttributes(attributes, known)
}

export function tellLeftOutAttributes (attributes: Attributes, { leftOut }: Known): void {
  const { src, style, _cssText, [UNREADABLE]: isUnreadable } = attributes
  if (src === PLACEHOLDER) leftOut.add('images')
  if (isText(isUnreadable)) leftOut.add('styles')
  if ([style, _cssText].some((it) => isText(it) && FILE.test(it))) leftOut.add('files')
}

/** Only hidden elements, and those that are not shown, are recorded with their size. */
function showAsHidden (attributes: Attributes): Attributes {
  const classes = textOf(attributes.class).split(/\s+/).filter((name) => name !== '' && name !== HIDDEN_CLASS)
  const { rr_width: width, rr_height: height } = attributes
  const isAbsent = width === '0px' && height === '0px'
  return { ...attributes, class: [...classes, HIDDEN_CLASS].join(' '), ...isAbsent && { hidden: '' } }
}

/** A document that has two roots, or none, cannot be built. */
export function readDocument (node: unknown, known: Known): SafeNode {
  if (!isObject(node) || node.type !== 0 || !isId(node.id)) throw new Refusal('it is not a document')
  const children = listOf(node.childNodes).filter(isObject)
  const root = children.find(({ type }) => type === 2)
  if (root === undefined || textOf(root.tagName).toLowerCase() !== 'html') throw new Refusal('it is not a page')
  const doctype = children.find(({ id, type }) => type === 1 && isId(id) && id !== node.id && id !== root.id)
  const before = doctype === undefined ? [] : [{ id: doctype.id, type: 1, name: 'html', publicId: '', systemId: '' }]
  const budget = { left: MAX_NODES, seen: new Set([node.id, root.id, ...before.map(({ id }) => id)]) }
  return {
    id: node.id,
    type: 0,
    // Old pages are laid out by other rules.
    ...node.compatMode === 'BackCompat' && before.length === 0 && { compatMode: 'BackCompat' },
    childNodes: [...before, readNode({ ...root, isSVG: false }, known, budget, 1)]
  }
}
