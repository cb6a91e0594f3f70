import { page } from './page.js'
import type { PageElement } from './page.js'

/**
 * A dialog of the replayed page takes the focus when it opens. The viewer may be typing elsewhere in this page, so the
 * focus goes back.
 *
 * @returns ends it
 */
export function keepFocus (frame: PageElement): { end (): void } {
  const { document } = page
  let last: PageElement | null = document.activeElement
  const remember = () => { if (document.activeElement !== frame) last = document.activeElement }
  const giveBack = () => { if (document.activeElement === frame) last?.focus({ preventScroll: true }) }
  document.addEventListener('focusin', remember)
  page.addEventListener('blur', giveBack)
  return {
    end () {
      document.removeEventListener('focusin', remember)
      page.removeEventListener('blur', giveBack)
    }
  }
}
