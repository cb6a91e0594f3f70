/**
 * A dialog of the replayed page takes the focus when it opens. The viewer may be typing elsewhere in this page, so the
 * focus goes back.
 *
 * @returns ends it
 */
export function keepFocus (frame: Element): { end (): void } {
  let last = document.activeElement
  const remember = () => { if (document.activeElement !== frame) last = document.activeElement }
  const giveBack = () => {
    if (document.activeElement === frame && last instanceof HTMLElement) last.focus({ preventScroll: true })
  }
  // The frame is still on its way to the focus.
  const onBlur = () => { setTimeout(giveBack) }
  document.addEventListener('focusin', remember)
  window.addEventListener('blur', onBlur)
  return {
    end () {
      document.removeEventListener('focusin', remember)
      window.removeEventListener('blur', onBlur)
    }
  }
}
