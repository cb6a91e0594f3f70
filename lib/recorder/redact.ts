import { bareStyle, mapTexts, styleWithoutImages } from './addresses.js'
import { cleanAttributes, MASK, maskText } from './attributes.js'
import { isElement } from './roots.js'
import { isUnshown } from './privacy.js'
import * as rrweb from './rrweb.js'
import { checkField } from './secret-fields.js'
import { sheetOf } from './sheets.js'
import { stateOf } from './states.js'
import type { RrwebEvent, RrwebRecord } from '../../types/recorder.js'
import type { Attributes } from './attributes.js'
import type { Privacy } from './privacy.js'
import type { Change, Mutation, SerializedNode } from './rrweb.js'
import type { Shown } from './shown.js'

/** Elements that are images, and those whose content is never sent. */
const IMAGES = new Set(['img', 'image', 'video', 'object', 'embed', 'source'])

export type Redact = (event: RrwebEvent) => RrwebEvent | undefined

/**
 * Makes the function that each event passes before it leaves the page. rrweb looks for private parts when it first
 * reads them, and later only at the nearest element of a change; this looks at the page as it is now, at every event.
 */
export function createRedact (mirror: RrwebRecord['mirror'], privacy: Privacy, shown: Shown): Redact {
  const nodeOf = (id: number | undefined) => id === undefined ? null : mirror.getNode(id)
  const isOpen = (id: number | undefined) => !privacy.isPrivate(nodeOf(id))
  /** Last value of each masked field: its letters would show how often it changed. */
  const lastValues = new WeakMap<Node, string>()

  function redactNode (node: SerializedNode, isMasked: boolean): SerializedNode {
    const { type, textContent = '' } = node
    if (type === rrweb.DOCUMENT) return withChildren(node, isMasked)
    if (type === rrweb.ELEMENT) return redactElement(node, isMasked)
    if (type === rrweb.TEXT) return { ...node, textContent: cleanText(textContent, node.isStyle === true, isMasked) }
    return 'textContent' in node ? { ...node, textContent: '' } : node
  }

  function withChildren (node: SerializedNode, isMasked: boolean): SerializedNode {
    const original = mirror.getNode(node.id)
    if (original !== null) shown.addRoot(original)
    return { ...node, childNodes: (node.childNodes ?? []).map((child) => redactNode(child, isMasked)) }
  }

  function redactElement (node: SerializedNode, isMaskedAround: boolean): SerializedNode {
    const { tagName = '', attributes = {} } = node
    const element = mirror.getNode(node.id)
    if (isUnshown(tagName) || !isElement(element)) return { ...node, attributes: {}, childNodes: [] }
    if (privacy.isMarked(element)) {
      shown.addHidden(element)
      return placeholder(node, element)
    }
    const isMasked = isMaskedAround && !privacy.isShown(element)
    shown.addOpen(element)
    if (isMasked && IMAGES.has(tagName)) return placeholder(node, element)
    const isWithoutSheet = tagName === 'link' && attributes._cssText === undefined
    const all = { ...attributes, ...stateOf(element), ...isWithoutSheet && sheetOf(element) }
    return { ...withChildren(node, isMasked), attributes: redactAttributes(element, all, isMasked) }
  }

  function redactAttributes (element: Element, attributes: Attributes, isMasked: boolean): Attributes {
    const { localName, namespaceURI, baseURI } = element
    const isSvg = namespaceURI !== null && namespaceURI.endsWith('/svg')
    const clean = cleanAttributes(attributes, { tagName: localName, isSvg, isMasked, page: baseURI })
    if (isHiddenInput(element)) delete clean.value
    return clean
  }

  function redactMutation (mutation: Mutation): Mutation | undefined {
    const { texts, attributes, removes, adds } = mutation
    const areOpen = new Map<number, boolean>()
    const isOpenParent = (id: number) => {
      const isKnown = areOpen.get(id) ?? isOpen(id)
      areOpen.set(id, isKnown)
      return isKnown
    }
    const clean = {
      ...mutation,
      texts: texts.flatMap(({ id, value }) => {
        const node = nodeOf(id)
        if (node === null || node.nodeType === Node.COMMENT_NODE || privacy.isPrivate(node)) return []
        return [{ id, value: value && cleanText(value, isInStyle(node), privacy.isMasked(node)) }]
      }),
      attributes: attributes.flatMap((it) => redactChangedAttributes(it.id, it.attributes)),
      // The removal of a part that is gone for good says nothing of it.
      removes: removes.filter(({ parentId }) => nodeOf(parentId) === null || isOpenParent(parentId)),
      adds: adds.filter(({ parentId }) => isOpenParent(parentId)).map(redactAdd)
    }
    const isEmpty = [clean.texts, clean.attributes, clean.removes, clean.adds].every(({ length }) => length === 0)
    return isEmpty ? undefined : clean
  }

  function redactAdd (add: Mutation['adds'][number]): Mutation['adds'][number] {
    const parent = nodeOf(add.parentId)
    if (add.node.isShadow === true && isElement(parent)) shown.addRoot(parent.shadowRoot)
    return { ...add, node: redactNode(add.node, privacy.isMasked(parent)) }
  }

  function redactChangedAttributes (id: number, attributes: Attributes): Mutation['attributes'] {
    const element = nodeOf(id)
    if (!isElement(element) || privacy.isPrivate(element)) return []
    const isMasked = privacy.isMasked(element)
    if (isMasked && IMAGES.has(element.localName)) return []
    const clean = redactAttributes(element, attributes, isMasked)
    return Object.keys(clean).length === 0 ? [] : [{ id, attributes: clean }]
  }

  /** The value of a field. */
  function redactInput (change: Change): Change | undefined {
    const field = nodeOf(change.id)
    if (field === null || !isElement(field)) return undefined
    // A field that was an open one until now is in the picture.
    if (checkField(field) && !shown.isHidden(field)) shown.change()
    if (privacy.isPrivate(field) || isHiddenInput(field)) return undefined
    if (!privacy.isMasked(field)) return change
    const text = isChoice(field) || change.text === '' ? '' : MASK
    if (isChoice(field) || lastValues.get(field) === text) return undefined
    lastValues.set(field, text)
    return { ...change, text }
  }

  /** Every text of such a change is a rule, or a part of one. */
  function redactStyles (change: Change): Change | undefined {
    if (change.id !== undefined && change.id > 0 && !isOpen(change.id)) return undefined
    return mapTexts(change, privacy.isMasked(document) ? styleWithoutImages : bareStyle) as Change
  }

  /** A pointer above a keypad would show the code. */
  function redactPositions (change: Change): Change | undefined {
    const positions = change.positions?.filter(({ id }) => isOpen(id)) ?? []
    return positions.length === 0 ? undefined : { ...change, positions }
  }

  function redactSelection (change: Change): Change | undefined {
    const ranges = change.ranges?.filter(({ start, end }) => isOpen(start) && isOpen(end)) ?? []
    return ranges.length === 0 ? undefined : { ...change, ranges }
  }

  const ifOpen = (change: Change): Change | undefined => isOpen(change.id) ? change : undefined
  const changes: Record<number, (change: Change) => Change | undefined> = {
    [rrweb.MOUSE_MOVE]: redactPositions,
    [rrweb.TOUCH_MOVE]: redactPositions,
    [rrweb.DRAG]: redactPositions,
    [rrweb.MOUSE_INTERACTION]: ifOpen,
    [rrweb.SCROLL]: ifOpen,
    [rrweb.MEDIA]: ifOpen,
    [rrweb.VIEWPORT]: (change) => change,
    [rrweb.INPUT]: redactInput,
    [rrweb.STYLE_SHEET_RULE]: redactStyles,
    [rrweb.STYLE_DECLARATION]: redactStyles,
    [rrweb.ADOPTED_STYLE_SHEET]: redactStyles,
    [rrweb.SELECTION]: redactSelection
  }

  function redactData (type: number, data: object): object | undefined {
    // The picture does not need the address of the page.
    if (type === rrweb.META) return { ...data, href: 'about:blank' }
    if (type === rrweb.FULL_SNAPSHOT) {
      shown.clear()
      const { node } = data as { node: SerializedNode }
      return { ...data, node: redactNode(node, privacy.isMasked(document)) }
    }
    const { source } = data as Change
    if (type !== rrweb.INCREMENTAL) return undefined
    // Kinds that this list does not know stay here.
    return source === rrweb.MUTATION ? redactMutation(data as Mutation) : changes[source]?.(data as Change)
  }

  return (event) => {
    const data = redactData(event.type, Object(event.data))
    return data && { ...event, data }
  }
}

function cleanText (text: string, isStyle: boolean, isMasked: boolean): string {
  if (isStyle) return isMasked ? styleWithoutImages(text) : bareStyle(text)
  return isMasked ? maskText(text) : text
}

/** Keeps the room of a part that stays here. */
function placeholder (node: SerializedNode, element: Element): SerializedNode {
  const { id, type, tagName = '', isSVG, isShadow, rootId, attributes = {} } = node
  const { width, height } = element.getBoundingClientRect()
  return {
    id,
    type,
    tagName,
    ...isSVG !== undefined && { isSVG },
    ...isShadow !== undefined && { isShadow },
    ...rootId !== undefined && { rootId },
    attributes: { class: attributes.class ?? '', rr_width: `${width}px`, rr_height: `${height}px` },
    childNodes: []
  }
}

function isHiddenInput (element: Element): boolean {
  return element.localName === 'input' && (element as HTMLInputElement).type === 'hidden'
}

/** A field whose state is a choice: a text for it would say nothing. */
function isChoice (element: Element): boolean {
  if (element.localName === 'option') return true
  return element.localName === 'input' && ['checkbox', 'radio'].includes((element as HTMLInputElement).type)
}

function isInStyle (node: Node): boolean {
  return node.parentElement?.localName === 'style'
}
