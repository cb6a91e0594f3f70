// The parts of a page that the replayer uses, typed by structure: this project is compiled without the types of a page.
export interface PageStyle {
  cssText: string
  border: string
  background: string
  transform: string
}

export interface PageElement {
  readonly clientWidth: number
  readonly clientHeight: number
  readonly style: PageStyle
  readonly parentElement: PageElement | null
  textContent: string | null
  appendChild (child: PageElement): unknown
  remove (): void
  focus (options?: { preventScroll: boolean }): void
  setAttribute (name: string, value: string): void
  getAttribute (name: string): string | null
  addEventListener (type: string, listener: (event: never) => void, isFirst?: boolean): void
}

export interface PageFrame extends PageElement {
  readonly contentDocument: PageDocument | null
  title: string
  tabIndex: number
}

interface Observer {
  observe (element: PageElement): void
  disconnect (): void
}

export interface PageDocument {
  readonly hidden: boolean
  readonly activeElement: PageElement | null
  readonly head: PageElement
  createElement (name: string): PageElement
  querySelectorAll (selector: string): Iterable<PageElement>
  addEventListener (type: string, listener: (event: never) => void, isFirst?: boolean): void
  removeEventListener (type: string, listener: (event: never) => void): void
}

/** This page. Read only in functions: the module can be loaded anywhere. */
export const page = globalThis as unknown as {
  readonly document: PageDocument
  readonly FontFace: new (family: string, source: string) => { load (): Promise<unknown> }
  readonly ResizeObserver: new (listener: () => void) => Observer
  addEventListener (type: string, listener: () => void): void
  removeEventListener (type: string, listener: () => void): void
}
