// Rebuilds the customer's page from the events that the guard lets through, inside a frame that runs no scripts
// (rrweb's, sandboxed without allow-scripts).
import { EventType, Replayer, ReplayerEvents } from '/demo/rrweb/rrweb.js'
import { readEvent } from './replay-guard.js'

/**
 * A replayer keeps each event. At this size the page is requested again; at twice this size further events are dropped.
 */
const MAX_KEPT_CHARACTERS = 16 * 1024 * 1024
/** Cost of an event in addition to its text. */
const EVENT_CHARACTERS = 1024
/** Time between two requests for a new snapshot. */
const PATIENCE_MS = 2000
const HIDDEN_LOOK = '.rr-block { background: repeating-linear-gradient(45deg, #d5dbe7 0 6px, #f3f5fa 6px 12px) !important; ' +
  'border-radius: 6px; outline: 1px dashed #8592a8 !important; outline-offset: -1px; }'

/**
 * @param options.onPicture a whole page is shown
 * @param options.onRefused something is not shown, with the reason
 * @param options.onStuck the whole page is needed again
 */
export function createReplay (root, { onPicture, onRefused, onStuck }) {
  let replayer
  let meta
  let kept = 0
  let startedAt = 0
  let askedAt = -Infinity
  const fit = new window.ResizeObserver(scale)
  fit.observe(root)
  // An error that rrweb throws while it draws stops its clock for good.
  window.addEventListener('error', askAgain)
  window.addEventListener('unhandledrejection', askAgain)

  function start () {
    replayer?.destroy()
    replayer = new Replayer([], {
      root,
      liveMode: true,
      mouseTail: false,
      triggerFocus: false,
      useVirtualDom: false,
      UNSAFE_replayCanvas: false,
      insertStyleRules: [HIDDEN_LOOK],
      showWarning: false
    })
    replayer.iframe.title = 'The customer\'s page'
    replayer.iframe.tabIndex = -1
    replayer.on(ReplayerEvents.Resize, scale)
    replayer.on(ReplayerEvents.FullsnapshotRebuilded, onPicture)
    placeByKnownOnly(replayer)
    startedAt = Date.now()
    kept = 0
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

  function show (event, characters) {
    // The picture stays until there is another one.
    if (event.type === EventType.Meta) {
      meta = event
      return
    }
    if (event.type === EventType.FullSnapshot) {
      if (meta === undefined) return
      start()
      add(meta)
      meta = undefined
    }
    // Events before the first snapshot mean nothing here.
    if (replayer === undefined) return
    kept += characters + EVENT_CHARACTERS
    if (kept > MAX_KEPT_CHARACTERS) askAgain()
    if (kept <= 2 * MAX_KEPT_CHARACTERS) add(event)
  }

  function add (event) {
    // Uses the clock of this page: that of the customer may be wrong. A hidden page draws no frames, so changes that
    // would wait for a frame are drawn at once.
    event.timestamp = document.hidden ? startedAt - 1 : Date.now()
    replayer.addEvent(event)
  }

  return {
    /** @param text one event, as the other side sent it: no part of it is trusted */
    take (text) {
      try {
        const { event, refusal } = readEvent(text)
        if (event !== undefined) show(event, text.length)
        else if (refusal !== undefined) onRefused(refusal)
      } catch {
        askAgain()
      }
    }
  }
}

/**
 * rrweb searches for half a second, in which the page stands still, for the place of a node with an unknown neighbour.
 * Its recorder names only neighbours that were there before.
 */
function placeByKnownOnly (replayer) {
  const apply = replayer.applyMutation
  replayer.applyMutation = (change, isSync) => {
    const { adds, removes, texts, attributes } = change
    apply.call(replayer, { ...change, adds: [], removes, texts: [], attributes: [] }, isSync)
    const added = new Set()
    const isKnown = (id) => added.has(id) || replayer.getMirror().has(id)
    const placed = []
    for (const it of adds) {
      if (!isKnown(it.parentId)) continue
      placed.push({ ...it, nextId: isKnown(it.nextId) ? it.nextId : null })
      added.add(it.node.id)
    }
    apply.call(replayer, { ...change, adds: placed, removes: [], texts, attributes }, isSync)
  }
}
