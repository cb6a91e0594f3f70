// The form of the events of rrweb 2, as far as they leave the page.
import type { Attributes } from './attributes.js'

export const FULL_SNAPSHOT = 2
export const INCREMENTAL = 3
export const META = 4

// Kinds of nodes.
export const DOCUMENT = 0
export const ELEMENT = 2
export const TEXT = 3

// Sources of incremental events.
export const MUTATION = 0
export const MOUSE_MOVE = 1
export const MOUSE_INTERACTION = 2
export const SCROLL = 3
export const VIEWPORT = 4
export const INPUT = 5
export const TOUCH_MOVE = 6
export const MEDIA = 7
export const STYLE_SHEET_RULE = 8
export const DRAG = 12
export const STYLE_DECLARATION = 13
export const SELECTION = 14
export const ADOPTED_STYLE_SHEET = 15

export interface SerializedNode {
  id: number
  type: number
  tagName?: string
  attributes?: Attributes
  textContent?: string
  childNodes?: SerializedNode[]
  isSVG?: boolean
  isStyle?: boolean
  isShadow?: boolean
  rootId?: number
}

export interface Mutation {
  texts: Array<{ id: number, value: string | null }>
  attributes: Array<{ id: number, attributes: Attributes }>
  removes: Array<{ id: number, parentId: number }>
  adds: Array<{ parentId: number, nextId: number | null, node: SerializedNode }>
}

/** All changes but mutations, with the members of each kind that are read. */
export interface Change {
  source: number
  id?: number
  text?: string
  positions?: Array<{ id: number }>
  ranges?: Array<{ start: number, end: number }>
}
