import { documentOf } from './roots.js'
import type { Privacy } from './privacy.js'

/** Kinds of elements whose content no event carries, in words for one and for several. */
const KINDS: ReadonlyArray<[selector: string, one: string, several: string]> = [
  ['iframe, frame', 'a frame of another site', 'frames of other sites'],
  ['canvas', 'a drawing', 'drawings'],
  ['video', 'a video', 'videos'],
  ['object, embed', 'an embedded document', 'embedded documents']
]

/** @returns the parts of the page that viewers do not see, in words; empty if they see all */
export function tellLeftOut (privacy: Privacy): string {
  const parts = KINDS.flatMap(([selector, one, several]) => {
    const count = [...document.querySelectorAll(selector)].filter((it) => isLeftOut(it, privacy)).length
    return count === 0 ? [] : [count === 1 ? one : `${count} ${several}`]
  })
  return parts.length === 0 ? '' : `Not shown: ${parts.join(', ')}.`
}

function isLeftOut (element: Element, privacy: Privacy): boolean {
  const { width, height } = element.getBoundingClientRect()
  return width > 0 && height > 0 && documentOf(element) === undefined && !privacy.isPrivate(element)
}
