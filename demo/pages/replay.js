// Rebuilds the customer's page inside a frame that runs no scripts (rrweb's, sandboxed without allow-scripts), of what
// the guard lets through.
import { EventType, Replayer } from '/demo/rrweb/rrweb.js'
import { readEvent } from './replay-guard.js'

/** A replayer keeps each event: it is made anew before they fill the memory. */
const MAX_EVENTS = 20_000
/** Between two requests for a new snapshot. */
const PATIENCE_MS = 2000

/**
 * @param options.onPicture a whole page is shown
 * @param options.onRefused something is not shown, and why
 * @param options.onStuck the whole page is needed again
 */
export function createReplay (root, { onPicture, onRefused, onStuck }) {
  let replayer
  let count = 0
  let startedAt = 0
  let askedAt = -Infinity
  const fit = new window.ResizeObserver(scale)
  fit.observe(root)

  function start () {
    replayer?.destroy()
    replayer = new Replayer([], {
      root,
      liveMode: true,
      mouseTail: false,
      triggerFocus: false,
      useVirtualDom: false,
      UNSAFE_replayCanvas: false,
      showWarning: false
    })
    replayer.iframe.title = 'The customer\'s page'
    replayer.iframe.tabIndex = -1
    replayer.on('resize', scale)
    startedAt = Date.now()
    count = 0
    replayer.startLive(startedAt)
  }

  function scale () {
    const wrapper = root.querySelector('.replayer-wrapper')
    const frame = wrapper?.querySelector('iframe')
    const [width, height] = [frame?.clientWidth, frame?.clientHeight]
    if (!width || !height) return
    const ratio = Math.min(1, root.clientWidth / width, root.clientHeight / height)
    wrapper.style.transform = `scale(${ratio}) translateX(-50%)`
  }

  function askAgain () {
    if (performance.now() - askedAt < PATIENCE_MS) return
    askedAt = performance.now()
    onStuck()
  }

  function show (event) {
    if (event.type === EventType.Meta) start()
    // Events before the first snapshot mean nothing here.
    if (replayer === undefined) return
    if (++count > MAX_EVENTS) askAgain()
    // By the clock of this page: that of the customer may be wrong. A hidden page draws no frames, so what it would
    // draw later is done at once.
    event.timestamp = document.hidden ? startedAt - 1 : Date.now()
    replayer.addEvent(event)
    if (event.type === EventType.FullSnapshot) onPicture()
  }

  return {
    /** @param text one event, as the other side sent it: nothing about it is believed */
    take (text) {
      try {
        const { event, refusal } = readEvent(text)
        if (event !== undefined) show(event)
        else if (refusal !== undefined) onRefused(refusal)
      } catch {
        askAgain()
      }
    }
  }
}
