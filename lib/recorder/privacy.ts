import { checkField, SECRET_FIELDS, wasSecret } from './secret-fields.js'
import { isElement, parentOf } from './roots.js'

/** Elements that a browser does not show, and whose content is for programs. */
const UNSHOWN = new Set(['script', 'noscript', 'template'])
const FIELDS = new Set(['input', 'textarea', 'select'])

/** Decides which parts of the page may leave it, as the page is at this moment. */
export interface Privacy {
  /** Selector of the parts that are private because of themselves. */
  readonly selector: string
  /** Whether the element is private because of itself. */
  isMarked (element: Element): boolean
  /** Whether the node is private because of itself or a part around it, or is not in the page. */
  isPrivate (node: Node | null): boolean
  /** Whether text, values and images of the node are masked. */
  isMasked (node: Node | null): boolean
  /** Whether the element itself begins a part that is not masked. */
  isShown (element: Element): boolean
}

export interface PrivacyOptions {
  private: string | undefined
  maskAll: boolean
  show: string | undefined
}

export function createPrivacy ({ private: own, maskAll, show }: PrivacyOptions): Privacy {
  const selector = ['[data-private]', SECRET_FIELDS, ...own === undefined ? [] : [own]].join(', ')

  function isMarked (element: Element): boolean {
    if (element.matches(selector) || wasSecret(element)) return true
    return (FIELDS.has(element.localName) || element.hasAttribute('contenteditable')) && checkField(element)
  }

  return {
    selector,
    isMarked,
    isPrivate (node) {
      let top: Node | null = null
      for (let it = node; it !== null; it = parentOf(it)) {
        if (isElement(it) && (UNSHOWN.has(it.localName) || isMarked(it))) return true
        top = it
      }
      return top !== document
    },
    isMasked (node) {
      if (!maskAll) return false
      for (let it = node; it !== null; it = parentOf(it)) {
        if (isElement(it) && isShown(it)) return false
      }
      return true
    },
    isShown
  }

  // Below its use, as it belongs to the masks alone.
  function isShown (element: Element): boolean {
    return show !== undefined && element.matches(show)
  }
}

export const isUnshown = (tagName: string): boolean => UNSHOWN.has(tagName)
