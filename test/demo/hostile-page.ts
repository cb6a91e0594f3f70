// Builds events in the format of rrweb, for pages that rrweb itself would never record.

export interface PageNode {
  type: number
  id: number
  tagName?: string
  attributes?: Record<string, unknown>
  childNodes?: PageNode[]
  [more: string]: unknown
}

export interface ReplayEvent {
  type: number
  data: Record<string, unknown>
  timestamp: unknown
}

export const BODY = 6
/** Id of a style element that every page has, with one rule. */
export const STYLE = 5
const MARKER = 8

let lastId = 100

type Attributes = Record<string, unknown>

export const element = (tagName: string, attributes: Attributes = {}, ...childNodes: PageNode[]): PageNode =>
  ({ type: 2, id: ++lastId, tagName, attributes, childNodes })

export const svg = (tagName: string, attributes: Attributes = {}, ...childNodes: PageNode[]): PageNode =>
  ({ ...element(tagName, attributes, ...childNodes), isSVG: true })

export const text = (textContent: string): PageNode => ({ type: 3, id: ++lastId, textContent })

const META: ReplayEvent = { type: 4, data: { href: 'http://customer.example/', width: 800, height: 600 }, timestamp: 1 }

/** Builds a page that shows `marker`, with `nodes` below it. */
export function page (marker: string, nodes: PageNode[] = []): ReplayEvent[] {
  const style = { ...element('style', {}, text('p { color: red }')), id: STYLE }
  const said = { ...element('p', { id: 'marker' }, { ...text(marker), id: MARKER }), id: 7 }
  const html = element('html', {}, element('head', {}, style), { ...element('body', {}, said, ...nodes), id: BODY })
  return [META, snapshotOf({ type: 0, id: 1, childNodes: [{ type: 1, id: 2, name: 'html' }, html] })]
}

export const snapshotOf = (node: unknown): ReplayEvent =>
  ({ type: 2, data: { node, initialOffset: { left: 0, top: 0 } }, timestamp: 2 })

export const change = (source: number, data: Record<string, unknown>): ReplayEvent =>
  ({ type: 3, data: { source, ...data }, timestamp: 3 })

export const mutation = (data: Record<string, unknown>): ReplayEvent =>
  change(0, { texts: [], attributes: [], removes: [], adds: [], ...data })

export const say = (marker: string): ReplayEvent => mutation({ texts: [{ id: MARKER, value: marker }] })

/** Builds the events that add the same nodes later, one by one. */
export function addLater (nodes: PageNode[]): ReplayEvent {
  const adds: object[] = []
  const add = (parentId: number, node: PageNode) => {
    const id = ++lastId
    adds.push({ parentId, nextId: null, node: { ...node, id, ...node.childNodes && { childNodes: [] } } })
    for (const child of node.childNodes ?? []) add(id, child)
  }
  for (const node of nodes) add(BODY, node)
  return mutation({ adds })
}

/** Builds elements without attributes, then the events that set the attributes. */
export function setLater (nodes: PageNode[]): ReplayEvent[] {
  const elements = [...elementsOf(nodes)]
  const bare = elements.map((node) => ({ ...node, id: ++lastId, attributes: {}, childNodes: [] }))
  return [
    mutation({ adds: bare.map((node) => ({ parentId: BODY, nextId: null, node })) }),
    mutation({ attributes: bare.map(({ id }, place) => ({ id, attributes: elements[place]?.attributes })) })
  ]
}

function * elementsOf (nodes: PageNode[]): Generator<PageNode> {
  for (const node of nodes) {
    if (node.type === 2) yield node
    yield * elementsOf(node.childNodes ?? [])
  }
}
