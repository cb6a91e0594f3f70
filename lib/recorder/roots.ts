/** A part of the page with a tree of its own: a document or an open shadow root. */
export type Root = Document | ShadowRoot

export const isElement = (node: Node | null): node is Element => node?.nodeType === Node.ELEMENT_NODE
/** By name, since a frame has classes of its own. */
export const isShadowRoot = (node: Node): node is ShadowRoot =>
  Object.prototype.toString.call(node) === '[object ShadowRoot]'
export const isDocument = (node: Node): node is Document => node.nodeType === Node.DOCUMENT_NODE

/** @returns the node that shows this one: its parent, the host of its shadow root, or the frame of its document */
export function parentOf (node: Node): Node | null {
  if (isShadowRoot(node)) return node.host
  if (isDocument(node)) return frameOf(node)
  return node.parentNode
}

function frameOf (inner: Document): Element | null {
  try {
    return inner.defaultView?.frameElement ?? null
  } catch {
    // The page itself is inside a frame of another site.
    return null
  }
}

/** @returns the document of a frame of the same origin */
export function documentOf (element: Element): Document | undefined {
  try {
    return (element as Partial<HTMLIFrameElement>).contentDocument ?? undefined
  } catch {
    return undefined
  }
}

const FRAMES = new Set(['iframe', 'frame'])
/** An event of a user inside of a shadow root names the root, whenever that was attached. */
const TELLING = ['focusin', 'pointerdown', 'input']

/** Calls `onRoot` once for each root of the page, now and later: at the latest when the user touches it. */
export function watchRoots (onRoot: (root: Root) => void): void {
  const known = new WeakSet<Root>()
  const observer = new MutationObserver((records) => {
    for (const { addedNodes } of records) addedNodes.forEach(search)
  })

  function visit (root: Root): void {
    if (known.has(root)) return
    known.add(root)
    onRoot(root)
    observer.observe(root, { childList: true, subtree: true })
    if (isDocument(root)) {
      for (const name of TELLING) root.addEventListener(name, visitPath, { capture: true, passive: true })
    }
    search(root)
  }

  function visitPath (event: Event): void {
    for (const target of event.composedPath()) {
      if (isShadowRoot(target as Node)) visit(target as ShadowRoot)
    }
  }

  function search (node: Node): void {
    if (isElement(node)) look(node)
    if (isElement(node) || isDocument(node) || isShadowRoot(node)) node.querySelectorAll('*').forEach(look)
  }

  function look (element: Element): void {
    if (element.shadowRoot !== null) visit(element.shadowRoot)
    else if (FRAMES.has(element.localName)) watchFrame(element)
    else if (element.localName.includes('-')) awaitDefinition(element)
  }

  function watchFrame (frame: Element): void {
    const visitDocument = (): void => {
      const inner = documentOf(frame)
      if (inner !== undefined) visit(inner)
    }
    visitDocument()
    frame.addEventListener('load', visitDocument)
  }

  /** An element that is defined later attaches its root then, which no observer notices. */
  function awaitDefinition (element: Element): void {
    if (element.matches(':defined')) return
    customElements.whenDefined(element.localName).then(() => {
      if (element.shadowRoot !== null) visit(element.shadowRoot)
    }, () => {})
  }

  visit(document)
}
