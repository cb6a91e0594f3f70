import { isObject } from './guard/values.js'
import type { Fields } from './guard/values.js'
import type { SafeEvent } from './guard/guard.js'
import type { RrwebReplayerClass } from '../../types/replayer.js'

const HIDDEN = 'repeating-linear-gradient(45deg, #d5dbe7 0 6px, #f3f5fa 6px 12px)'
const LOOKS = [
  // Parts that the recorder hid.
  `.rr-block { background: ${HIDDEN} !important; border-radius: 6px; outline: 1px dashed #8592a8 !important; ` +
  'outline-offset: -1px; }',
  // As browsers show a frame unless its page says otherwise.
  ':where([data-cobrowse-frame]) { border: 2px inset; }',
  // Content that is not shown.
  ':where(video) { background: repeating-linear-gradient(45deg, #d5dbe7 0 4px, #f3f5fa 4px 8px); }',
  // A popover is open by a call of its page, which a frame without scripts does not repeat.
  ':where([popover][data-cobrowse-open]) { display: block; z-index: 2147483647; }'
]

/** The parts of rrweb's replayer that are used, its own methods included. */
export interface Rrweb {
  readonly iframe: HTMLIFrameElement
  on (event: string, listener: () => void): unknown
  addEvent (event: SafeEvent): void
  startLive (baselineTime: number): void
  destroy (): void
  getMirror (): { has (id: unknown): boolean, getNode (id: unknown): Node | null }
  applyMutation? (change: Fields, isSync: boolean): void
  applyInput? (change: Fields): void
  applyIncremental? (event: SafeEvent, isSync: boolean): void
}

/** @param onError an event could not be drawn */
export function startRrweb (Replayer: RrwebReplayerClass, root: Element, onError: () => void): Rrweb {
  const config = {
    root,
    liveMode: true,
    mouseTail: false,
    triggerFocus: false,
    useVirtualDom: false,
    UNSAFE_replayCanvas: false,
    insertStyleRules: LOOKS,
    showWarning: false
  }
  // The class is given by structure, so that any version of rrweb 2 fits.
  const rrweb = new Replayer([], config as never) as Rrweb
  placeByKnownOnly(rrweb)
  selectOptions(rrweb)
  catchErrors(rrweb, onError)
  return rrweb
}

/**
 * rrweb searches for half a second, in which the page stands still, for the place of a node with an unknown neighbour.
 * Its recorder names only neighbours that were there before.
 */
function placeByKnownOnly (rrweb: Rrweb): void {
  const apply = rrweb.applyMutation
  if (apply === undefined) return
  rrweb.applyMutation = (change, isSync) => {
    const { adds, removes, texts, attributes } = change
    apply.call(rrweb, { ...change, adds: [], removes, texts: [], attributes: [] }, isSync)
    const added = new Set<unknown>()
    const isKnown = (id: unknown) => added.has(id) || rrweb.getMirror().has(id)
    const placed = []
    for (const add of adds as Fields[]) {
      if (!isKnown(add.parentId)) continue
      placed.push({ ...add, nextId: isKnown(add.nextId) ? add.nextId : null })
      added.add(isObject(add.node) ? add.node.id : undefined)
    }
    closeDialogs(rrweb, attributes as Fields[])
    apply.call(rrweb, { ...change, adds: placed, removes: [], texts, attributes }, isSync)
  }
}

/** rrweb removes the attribute alone, without which a modal dialog is still the one above the page. */
function closeDialogs (rrweb: Rrweb, changes: Fields[]): void {
  for (const { id, attributes } of changes) {
    const node = isObject(attributes) && attributes.open === null ? rrweb.getMirror().getNode(id) : null
    if (node?.nodeName === 'DIALOG') (node as HTMLDialogElement).close()
  }
}

/** A list with several chosen options has no single value: a recorder tells the state of each option. */
function selectOptions (rrweb: Rrweb): void {
  const apply = rrweb.applyInput
  if (apply === undefined) return
  rrweb.applyInput = (change) => {
    const node = rrweb.getMirror().getNode(change.id)
    if (node?.nodeName === 'OPTION') (node as HTMLOptionElement).selected = change.isChecked === true
    else apply.call(rrweb, change)
  }
}

/** An error that rrweb throws while it draws would stop its clock. */
function catchErrors (rrweb: Rrweb, onError: () => void): void {
  const apply = rrweb.applyIncremental
  if (apply === undefined) return
  rrweb.applyIncremental = (event, isSync) => {
    try {
      apply.call(rrweb, event, isSync)
    } catch {
      onError()
    }
  }
}
