import { keepFocus } from './focus.js'
import { addPolicy } from './policy.js'

/** Prepares a frame that is only to look at. @returns ends it */
export function prepareFrame (frame: HTMLIFrameElement, title: string): { end (): void } {
  addPolicy(frame)
  frame.title = title
  frame.tabIndex = -1
  frame.style.border = '0'
  frame.style.background = '#fff'
  return keepFocus(frame)
}

/** Clicks on the frame do not reach its document; this is for those by keyboard or script. */
export function blockClicks ({ contentDocument }: HTMLIFrameElement): void {
  const prevent = (event: Event) => event.preventDefault()
  for (const type of ['click', 'auxclick', 'submit']) contentDocument?.addEventListener(type, prevent, true)
}
