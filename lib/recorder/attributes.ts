import { bareAddress, bareAddresses, bareStyle, mapTexts, ownFragment, styleWithoutImages } from './addresses.js'

export type AttributeValue = string | number | boolean | null | Record<string, unknown>
export type Attributes = Record<string, AttributeValue>

const words = (text: string) => new Set(text.trim().split(/\s+/))

const ADDRESSES = words(`
  src href xlink:href action formaction poster background data cite longdesc codebase classid archive manifest profile
  rr_src usemap icon lowsrc dynsrc`)
const LISTS_OF_ADDRESSES = words('srcset imagesrcset')
/** Never of use to the picture: code, requests, and documents inside of an attribute. */
const UNUSED = words('srcdoc ping nonce integrity')
const CODE = /^(?:on|@|:|hx-|x-data|x-init|x-on|x-bind|v-on|v-bind|ng-|wire:)/
const NAME_OF_SECRET = /token|csrf|xsrf|nonce|secret|passw|credential|session|signature|api-?key/
/** No selector compares such a value: programs keep their data in it. */
const MAX_DATA_CHARACTERS = 100
const DATA = /^\s*[{[]/
const LIKE_ADDRESS = /^\s*(?:[a-z][a-z0-9+.-]{0,20}:|\/|\.{1,2}\/|\?)/i

/** Attributes that a reader sees or hears. */
const TEXTS = words(`
  alt title placeholder label value summary abbr datetime
  aria-label aria-description aria-valuetext aria-valuenow aria-roledescription aria-placeholder`)
const STATES = /^(?:|true|false|open|closed|active|inactive|on|off|dark|light|checked|unchecked)$/

const FIELDS = new Set(['input', 'textarea', 'select', 'option'])

export const MASK = '••••••••'
/** Keeps the shape of a text: its words, and their lengths. */
export const maskText = (text: string): string => text.replace(/\S/g, '•')

export interface Place {
  tagName: string
  isSvg: boolean
  isMasked: boolean
  /** Address that the browser resolves relative ones against. */
  page: string
}

/** @returns the attributes as they may leave the page */
export function cleanAttributes (attributes: Attributes, place: Place): Attributes {
  const clean: Attributes = {}
  // Nothing of them is shown, and tokens are common in them.
  if (place.tagName === 'meta') return clean
  for (const [name, value] of Object.entries(attributes)) {
    const cleaned = cleanAttribute(name.toLowerCase(), value, place)
    if (cleaned !== undefined) clean[name] = cleaned
  }
  return clean
}

function cleanAttribute (name: string, value: AttributeValue, place: Place): AttributeValue | undefined {
  if (UNUSED.has(name) || CODE.test(name) || NAME_OF_SECRET.test(name)) return undefined
  if (name === 'checked' || name === 'selected') return place.isMasked ? undefined : value
  // Single properties: a value, a value with its priority, or `false` for none.
  if (typeof value === 'object') return mapTexts(value, place.isMasked ? styleWithoutImages : bareStyle) as AttributeValue
  if (typeof value !== 'string') return value
  if (name === 'style' || name === '_csstext') return place.isMasked ? styleWithoutImages(value) : bareStyle(value)
  if (ADDRESSES.has(name)) return cleanAddress(value, place)
  if (LISTS_OF_ADDRESSES.has(name)) return bareAddresses(value)
  if (isData(name)) return cleanData(value, place)
  return place.isMasked && TEXTS.has(name) ? maskValue(name, value, place) : value
}

/** The length of a value would reveal something, and so would a change for each letter. */
function maskValue (name: string, value: string, { tagName }: Place): string {
  return name === 'value' && FIELDS.has(tagName) && value !== '' ? MASK : maskText(value)
}

/** Most are not of HTML itself. */
function isData (name: string): boolean {
  return /[-:]/.test(name) && !name.startsWith('aria-')
}

function cleanData (value: string, { isMasked, isSvg }: Place): string | undefined {
  if (value.length > MAX_DATA_CHARACTERS || DATA.test(value)) return undefined
  if (isMasked && !isSvg && !STATES.test(value)) return ''
  return LIKE_ADDRESS.test(value) ? bareAddress(value) : value
}

function cleanAddress (value: string, { tagName, isSvg, isMasked, page }: Place): string {
  const fragment = isSvg && tagName !== 'a' ? ownFragment(value, page) : undefined
  if (fragment !== undefined) return fragment
  // The path may name a customer.
  if (isMasked || (tagName === 'a' && /^data:/i.test(value.trim()))) return ''
  return bareAddress(value)
}
