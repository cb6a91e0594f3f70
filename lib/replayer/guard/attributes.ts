import {
  EMBEDDED, isCustomName, isHarmless, isHook, isHookOfCustom, isReference, NAMED, REFERRING
} from './harmless.js'
import { isList, isObject, isText } from './values.js'
import type { Fields } from './values.js'

export type Attributes = Record<string, unknown>

/** A blob that does not exist: selectors for links match, and browsers refuse to go there. */
export const NOWHERE = 'blob:null/0'

const STRIPES = '<pattern id="p" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
  '<rect width="8" height="8" fill="#f3f5fa"/><rect width="4" height="8" fill="#d5dbe7"/></pattern>' +
  '<rect width="100%" height="100%" fill="url(#p)"/>'
const stripes = (size: string) =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg"${size}>${STRIPES}</svg>`)}`

/** Stands for an image that is not shown. Without a size of its own, it takes that of the attributes and the styles. */
export const PLACEHOLDER = stripes('')

const DATA_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif|bmp|x-icon|svg\+xml)[;,]/i
const PIXELS = /^\d{1,6}(?:\.\d+)?px$/
const FOREIGN_URL = /\\|(?:src|image|set|fade|element)\(|url\(\s*["']?(?!["']?#)/i

const isPlain = (value: unknown) => value === null || ['string', 'number', 'boolean'].includes(typeof value)
const isDataImage = (value: unknown): value is string => isText(value) && DATA_IMAGE.test(value)

type Reader = (read: Attributes, value: unknown, tag: string) => void

/** Readers of attributes that are not copied as they are. */
const SPECIAL: Record<string, Reader> = {
  src (read, value, tag) {
    if (isDataImage(value)) read.src = value
    else if (tag === 'img' && isText(value)) read.src = PLACEHOLDER
  },
  srcset (read, value, tag) {
    if (tag === 'img' && isText(value)) read.src ??= PLACEHOLDER
  },
  // An image that the recorder has put into the page's data.
  rr_dataurl (read, value, tag) {
    if (tag === 'img' && isDataImage(value)) read.src = value
  },
  href (read, value, tag) {
    if (tag === 'a' && isText(value)) read.href = NOWHERE
    else if (value === null || (REFERRING.has(tag) && isText(value) && value.startsWith('#'))) read.href = value
  },
  'xlink:href' (read, value, tag) {
    if (REFERRING.has(tag)) SPECIAL.href?.(read, value, tag)
  },
  style (read, value) {
    if (isObject(value)) read.style = readStyle(value)
    else if (isPlain(value)) read.style = value
  },
  _csstext (read, value, tag) {
    if (tag === 'style' && isText(value)) read._cssText = value
  },
  rr_width: (read, value) => { if (isText(value) && PIXELS.test(value)) read.rr_width = value },
  rr_height: (read, value) => { if (isText(value) && PIXELS.test(value)) read.rr_height = value },
  rr_open_mode (read, value, tag) {
    if (tag === 'dialog' && (value === 'modal' || value === 'non-modal')) read.rr_open_mode = value
  },
  name: (read, value, tag) => { if (NAMED.has(tag) && isPlain(value)) read.name = value }
}

/** @param tag name of the element in lower case, as it is rebuilt */
export function readAttributes (attributes: unknown, tag: string): Attributes {
  const read: Attributes = {}
  if (!isObject(attributes)) return read
  const mayHaveAny = isCustomName(tag)
  for (const [name, value] of Object.entries(attributes)) {
    const known = name.toLowerCase()
    const special = Object.prototype.hasOwnProperty.call(SPECIAL, known) ? SPECIAL[known] : undefined
    if (special !== undefined) special(read, value, tag)
    else if (isKnown(known) || (mayHaveAny && isHookOfCustom(known))) copy(read, name, known, value)
  }
  return read
}

const isKnown = (name: string) => isHarmless(name) || isHook(name)

function copy (read: Attributes, name: string, known: string, value: unknown): void {
  if (isPlain(value) && !(isReference(known) && FOREIGN_URL.test(String(value)))) read[name] = value
}

/** An element whose content is not shown becomes an image of the same size: a frame without scripts has no canvas. */
export function asImage (tag: string, { width, height, ...attributes }: Attributes, frameborder: unknown): Attributes {
  if (tag === 'canvas') return { ...attributes, src: stripes(` width="${sideOf(width, 300)}" height="${sideOf(height, 150)}"`) }
  const hasBorder = tag === 'iframe' && !['0', 'no'].includes(String(frameborder)) && attributes.rr_width === undefined
  return {
    ...attributes,
    ...width !== undefined && { width },
    ...height !== undefined && { height },
    src: PLACEHOLDER,
    ...hasBorder && { 'data-cobrowse-frame': '' }
  }
}

const sideOf = (value: unknown, otherwise: number) => /^\d{1,6}$/.test(String(value)) ? Number(value) : otherwise

/** A change of single properties: a value, a value with its priority, or `false` for none. */
function readStyle (value: Fields): Fields {
  const isValue = (it: unknown) => it === false || isText(it) || (isList(it) && it.length === 2 && it.every(isText))
  return Object.fromEntries(Object.entries(value).filter(([, it]) => isValue(it)))
}

/** @returns the name under which an element is rebuilt */
export function rebuiltName (tag: string): string {
  if (tag === 'link') return 'style'
  return EMBEDDED.has(tag) ? 'img' : tag
}
