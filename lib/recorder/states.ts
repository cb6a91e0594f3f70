import { INCREMENTAL, INPUT, MUTATION } from './rrweb.js'
import { isElement } from './roots.js'
import { sheetOf } from './sheets.js'
import type { RrwebEvent, RrwebRecord } from '../../types/recorder.js'
import type { Attributes } from './attributes.js'
import type { Root } from './roots.js'

/** Tells the replayer that a popover is open: no attribute does. */
const OPEN = 'data-cobrowse-open'
/** Elements that the replayer does not load. Without their size, all that follows would be elsewhere. */
const REPLACED = new Set(['img', 'iframe', 'object', 'embed', 'video'])

type Field = Element & { value?: string, checked?: boolean }

/** Changes of elements that rrweb does not record. */
export interface States {
  watch (root: Root): void
  end (): void
}

export function createStates (mirror: RrwebRecord['mirror'], emit: (event: RrwebEvent) => void): States {
  const watched = new Set<Root>()
  const listeners = [['toggle', onToggle], ['change', onChange], ['reset', onReset], ['load', onLoad]] as const

  const emitChange = (data: object): void => emit({ type: INCREMENTAL, data, timestamp: Date.now() })

  function emitAttributes (element: Element, attributes: Attributes): void {
    const changed = [{ id: mirror.getId(element), attributes }]
    emitChange({ source: MUTATION, texts: [], attributes: changed, removes: [], adds: [] })
  }

  function emitInput (field: Field, isChecked: boolean): void {
    emitChange({ source: INPUT, id: mirror.getId(field), text: field.value ?? '', isChecked })
  }

  function emitOptions (list: HTMLSelectElement): void {
    if (list.multiple) for (const option of list.options) emitInput(option, option.selected)
  }

  function onToggle ({ target }: Event): void {
    const popover = target as Element
    if (popover.hasAttribute('popover')) emitAttributes(popover, { [OPEN]: isOpenPopover(popover) ? '' : null })
  }

  function onChange ({ target }: Event): void {
    if ((target as Element).localName === 'select') emitOptions(target as HTMLSelectElement)
  }

  function onReset ({ target }: Event): void {
    // The fields change after the event.
    setTimeout(() => {
      for (const field of (target as HTMLFormElement).elements as Iterable<Field>) {
        emitInput(field, field.checked === true)
        if (field.localName === 'select') emitOptions(field as HTMLSelectElement)
      }
    })
  }

  function onLoad ({ target }: Event): void {
    const element = target as Node
    if (!isElement(element)) return
    if (REPLACED.has(element.localName)) emitAttributes(element, sizeOf(element))
    else if (element.localName === 'link') emitAttributes(element, sheetOf(element))
  }

  return {
    watch (root) {
      if (watched.has(root)) return
      watched.add(root)
      for (const [name, listener] of listeners) root.addEventListener(name, listener, true)
    },
    end () {
      for (const [name, listener] of listeners) {
        for (const root of watched) root.removeEventListener(name, listener, true)
      }
      watched.clear()
    }
  }
}

/** @returns attributes for the replayer that the element itself does not have */
export function stateOf (element: Element): Attributes {
  return { ...REPLACED.has(element.localName) && sizeOf(element), ...isOpenPopover(element) && { [OPEN]: '' } }
}

function sizeOf (element: Element): Attributes {
  const { width, height } = element.getBoundingClientRect()
  return width === 0 && height === 0 ? {} : { rr_width: `${width}px`, rr_height: `${height}px` }
}

function isOpenPopover (element: Element): boolean {
  try {
    return element.hasAttribute('popover') && element.matches(':popover-open')
  } catch {
    // A browser without popovers.
    return false
  }
}
