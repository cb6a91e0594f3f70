import type { Attributes } from './attributes.js'

/**
 * The style sheet of a link, as the attribute in which rrweb sends it. rrweb looks for it by the address of the link,
 * among the sheets of the document. So it finds neither that of a relative address after `pushState`, nor one in a
 * shadow root, nor the next one of a link whose address changes.
 *
 * @returns nothing if there is none, or if it comes from a server that does not let the page read it
 */
export function sheetOf (link: Element): Attributes {
  const { sheet } = link as HTMLLinkElement
  try {
    return sheet === null || sheet === undefined ? {} : { _cssText: textOf(sheet) }
  } catch {
    return {}
  }
}

function textOf (sheet: CSSStyleSheet): string {
  return Array.from(sheet.cssRules, (rule) => {
    const imported = (rule as CSSImportRule).styleSheet
    return imported === null || imported === undefined ? rule.cssText : textOf(imported)
  }).join('')
}
