// Addresses may hold tokens: in a query, in a fragment, or as the credentials of a user. The picture needs none.

const CREDENTIALS = /^([a-z][a-z0-9+.-]{0,20}:\/\/)[^/?#@]*@/i
const IMAGE = /^data:image\//i
const FONT = /^data:(?:font\/|application\/(?:x-)?font)/i
/** Code, and parts of this page's memory. */
const LOCAL = /^(?:javascript|vbscript|blob|data):/i

/** @returns the address without query and fragment; a `data:` image unchanged */
export function bareAddress (address: string): string {
  const trimmed = address.trim()
  if (IMAGE.test(trimmed)) return trimmed
  if (LOCAL.test(trimmed)) return ''
  return cut(trimmed).replace(CREDENTIALS, '$1')
}

/** @returns the fragment, if the address is that of a part of the same page */
export function ownFragment (address: string, page: string): string | undefined {
  const place = address.indexOf('#')
  if (place < 0) return undefined
  return place === 0 || cut(address) === cut(page) ? address.slice(place) : undefined
}

/** Cleans each address of a list such as `a.png 1x, b.png?token 2x`. */
export function bareAddresses (list: string): string {
  return list.replace(/\S+/g, (word) => word.endsWith(',') ? `${bareAddress(word.slice(0, -1))},` : bareAddress(word))
}

/** Cleans each `url(…)` of a style sheet or a value, and each address in quotes. */
export function bareStyle (css: string, change = bareStyleAddress): string {
  let result = ''
  let from = 0
  for (const { index } of css.matchAll(/url\(/gi)) {
    // Text inside of an address that was read before.
    if (index < from) continue
    const start = index + 'url('.length
    const end = endOfAddress(css, start)
    result += `${bareQuoted(css.slice(from, index))}url(${changeQuoted(css.slice(start, end), change)}`
    from = end
  }
  return result + bareQuoted(css.slice(from))
}

export function bareStyleAddress (address: string): string {
  return address.startsWith('#') || FONT.test(address) ? address : bareAddress(address)
}

/** As for pages whose images are masked. */
export function styleWithoutImages (css: string): string {
  return bareStyle(css, (address) => address.startsWith('#') || FONT.test(address) ? address : '')
}

/** Changes each text of a value, however deep it lies. */
export function mapTexts (value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((it) => mapTexts(it, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, mapTexts(it, change)]))
}

/** Addresses of `@import` and `image-set` may stand outside of `url(…)`. */
function bareQuoted (css: string): string {
  return css.replace(/(["'](?:[a-z]{1,10}:)?\/\/[^"'?#]{0,2048})[?#][^"']*/gi, '$1')
}

function endOfAddress (css: string, start: number): number {
  let place = start
  while (/\s/.test(css[place] ?? '')) place++
  const quote = css[place]
  const close = quote === '"' || quote === "'" ? endOfText(css, place + 1, quote) : place
  const end = css.indexOf(')', close)
  return end < 0 ? css.length : end
}

function endOfText (css: string, start: number, quote: string): number {
  let end = css.indexOf(quote, start)
  while (end > 0 && css[end - 1] === '\\') end = css.indexOf(quote, end + 1)
  return end < 0 ? css.length : end
}

function changeQuoted (text: string, change: (address: string) => string): string {
  const trimmed = text.trim()
  const address = trimmed.startsWith('"') || trimmed.startsWith("'") ? trimmed.slice(1, -1) : trimmed
  const changed = change(address)
  return changed === address ? text : `"${changed.replace(/"/g, '%22')}"`
}

function cut (address: string): string {
  const end = address.search(/[?#]/)
  return end < 0 ? address : address.slice(0, end)
}
