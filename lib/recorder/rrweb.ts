// The form of the events of rrweb 2, as far as they leave the page.
import type { Attributes } from './attributes.js'

export const FULL_SNAPSHOT = 2
export const INCREMENTAL = 3
export const META = 4

export const NODE = { document: 0, doctype: 1, element: 2, text: 3, cdata: 4, comment: 5 } as const

export const SOURCE = {
  mutation: 0,
  mouseMove: 1,
  mouseInteraction: 2,
  scroll: 3,
  viewport: 4,
  input: 5,
  touchMove: 6,
  media: 7,
  styleSheetRule: 8,
  drag: 12,
  styleDeclaration: 13,
  selection: 14,
  adoptedStyleSheet: 15
} as const

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

export interface Rule {
  rule: string
}

/** All changes but mutations, with the members of each kind that are read. */
export interface Change {
  source: number
  id?: number
  text?: string
  isChecked?: boolean
  positions?: Array<{ id: number }>
  ranges?: Array<{ start: number, end: number }>
  adds?: Rule[]
  replace?: string
  replaceSync?: string
  set?: { value: string | null }
  styles?: Array<{ rules: Rule[] }>
}
