import type { Attributes } from './attributes.js'

/** Tells the replayer that the style sheet of a link is left out. */
const UNREADABLE = 'data-cobrowse-unreadable'

/**
 * The style sheet of a link, as the attribute in which rrweb sends it. rrweb looks for it by the address of the link,
 * among the sheets of the document. So it finds neither that of a relative address after `pushState`, nor one in a
 * shadow root, nor the next one of a link whose address changes.
 * A sheet of a server that does not let the page read it stays unknown.
 */
export function sheetOf (link: Element): Attributes {
  const { sheet } = link as HTMLLinkElement
  if (sheet === null || sheet === undefined) return {}
  const text = textOf(sheet)
  return text === undefined ? { [UNREADABLE]: '' } : { _cssText: text }
}

function textOf (sheet: CSSStyleSheet): string | undefined {
  try {
    return Array.from(sheet.cssRules, textOfRule).join('')
  } catch {
    return undefined
  }
}

function textOfRule (rule: CSSRule): string {
  const { styleSheet } = rule as CSSImportRule
  return styleSheet === null || styleSheet === undefined ? rule.cssText : textOf(styleSheet) ?? ''
}
