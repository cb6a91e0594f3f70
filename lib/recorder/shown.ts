import { isDocument, isElement, isShadowRoot } from './roots.js'
import type { Privacy } from './privacy.js'
import type { Root } from './roots.js'

/** The marks of a page change many elements at once, such as those of a form. */
const SETTLE_MS = 250

/** Knows how each marked element was sent, and notices when its marks change. */
export interface Shown {
  /** Forgets all elements: the whole page follows. */
  clear (): void
  /** Watches a document or a shadow root. */
  addRoot (root: Node | null): void
  addHidden (element: Element): void
  addOpen (element: Element): void
  /** Whether the element was sent as private. */
  isHidden (element: Element): boolean
  /** The page has to be sent again. */
  change (): void
  end (): void
}

export interface ShownOptions {
  privacy: Privacy
  /** Selector of the parts that are not masked. */
  show: string | undefined
  onRoot (root: Root): void
  /** Called when an element was sent as private and is not any more, or the other way round. */
  onChange (): void
}

export function createShown ({ privacy, show, onRoot, onChange }: ShownOptions): Shown {
  const hidden = new Set<Element>()
  const open = new WeakSet<Element>()
  const unmasked = new Set<Element>()
  const roots = new Set<Root>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const observer = new MutationObserver((records) => {
    // Animations change styles all the time.
    if (records.some(({ attributeName }) => attributeName !== 'style')) timer ??= setTimeout(check, SETTLE_MS)
  })

  function check (): void {
    timer = undefined
    if (becamePublic() || becamePrivate() || changedMask()) onChange()
  }

  const becamePublic = (): boolean => some(hidden, (element) => !privacy.isMarked(element))

  /** Parts inside of a private part were left out with it. */
  const becamePrivate = (): boolean => some(elementsOf(privacy.selector), (element) =>
    open.has(element) && !hidden.has(element) && !privacy.isPrivate(element.parentNode))

  function changedMask (): boolean {
    if (show === undefined) return false
    return some(unmasked, (element) => !privacy.isShown(element)) ||
      some(elementsOf(show), (element) => open.has(element) && !unmasked.has(element))
  }

  function * elementsOf (selector: string): Generator<Element> {
    for (const root of roots) yield * root.querySelectorAll(selector)
  }

  function clear (): void {
    clearTimeout(timer)
    timer = undefined
    observer.disconnect()
    hidden.clear()
    unmasked.clear()
    roots.clear()
  }

  return {
    clear,
    addRoot (node) {
      if (node === null) return
      const root = isElement(node) ? node.shadowRoot : node
      if (root === null || !(isShadowRoot(root) || isDocument(root)) || roots.has(root)) return
      roots.add(root)
      onRoot(root)
      observer.observe(root, { subtree: true, childList: true, attributes: true })
    },
    addHidden (element) {
      hidden.add(element)
      open.delete(element)
    },
    addOpen (element) {
      hidden.delete(element)
      open.add(element)
      if (privacy.isShown(element)) unmasked.add(element)
    },
    isHidden: (element) => hidden.has(element),
    change: onChange,
    end: clear
  }
}

/** Whether it holds for any of the elements that are in the page. */
function some (elements: Iterable<Element>, holds: (element: Element) => boolean): boolean {
  for (const element of elements) if (element.isConnected && holds(element)) return true
  return false
}
