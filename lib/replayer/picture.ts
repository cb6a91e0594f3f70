// Rebuilds the recorder's page from the events that the guard lets through, inside a frame that runs no scripts
// (rrweb's, sandboxed without allow-scripts).
import { watchClock } from './clock.js'
import { keepFocus } from './focus.js'
import { FULL_SNAPSHOT, META } from './guard/guard.js'
import { addPolicy, findProblem } from './policy.js'
import { startRrweb } from './rrweb.js'
import { createScale } from './scale.js'
import type { SafeEvent } from './guard/guard.js'
import type { Rrweb } from './rrweb.js'
import type { RrwebReplayerClass } from '../../types/replayer.js'

/** rrweb keeps each event. At this size the page is requested again; at twice this size further events are dropped. */
const MAX_KEPT_CHARACTERS = 64 * 1024 * 1024
/** Cost of an event in addition to its text. */
const EVENT_CHARACTERS = 1024
/** Time between two whole pages: to rebuild one takes longer than to send one. */
const REDRAW_MS = 1000

const CONTAINER = 'position: relative; width: 100%; height: 100%; overflow: hidden'

export interface PictureOptions {
  root: Element
  Replayer: RrwebReplayerClass
  title: string
  /** A whole page is drawn. */
  onDrawn (size: { width: number, height: number }): void
  /** The whole page is needed again. */
  onStuck (): void
  /** A policy does not do its part. */
  onProblem (problem: string): void
}

export interface Picture {
  /** @param characters size of the event */
  draw (event: SafeEvent, characters: number): void
  /** Forgets a page that waits to be drawn. */
  drop (): void
  close (): void
}

/** A page that waits for its time, with the changes since. */
interface NextPage {
  readonly events: Array<[event: SafeEvent, characters: number]>
  characters: number
}

export function createPicture ({ root, Replayer, title, onDrawn, onStuck, onProblem }: PictureOptions): Picture {
  const container = document.createElement('div')
  container.style.cssText = CONTAINER
  root.append(container)
  const scale = createScale(container)
  const clock = watchClock(onStuck)
  let rrweb: Rrweb | undefined
  let focus: { end (): void } | undefined
  let meta: SafeEvent | undefined
  let next: NextPage | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let kept = 0
  let startedAt = 0
  let redrawnAt = -Infinity
  let isChecked = false

  function start (size: SafeEvent): void {
    end()
    rrweb = startRrweb(Replayer, container, onStuck)
    const { iframe: frame } = rrweb
    addPolicy(frame)
    frame.title = title
    frame.tabIndex = -1
    frame.style.border = '0'
    frame.style.background = '#fff'
    focus = keepFocus(frame)
    scale.fit(frame)
    rrweb.on('resize', scale.update)
    rrweb.on('fullsnapshot-rebuilded', () => {
      blockClicks(frame)
      checkOnce(frame)
      onDrawn(sizeOf(size))
    })
    rrweb.on('event-cast', clock.drawn)
    startedAt = Date.now()
    kept = 0
    rrweb.startLive(startedAt)
  }

  function checkOnce (frame: HTMLIFrameElement): void {
    if (isChecked) return
    isChecked = true
    // A browser that cannot tell does not keep the page from being shown.
    findProblem(frame).then((problem) => { if (problem !== undefined) onProblem(problem) }).catch(() => {})
  }

  function end (): void {
    clock.reset()
    focus?.end()
    try {
      rrweb?.destroy()
    } catch {
      // The application may have removed the picture.
    }
    rrweb = undefined
    container.textContent = ''
  }

  function redraw (): void {
    const events = next?.events ?? []
    next = undefined
    timer = undefined
    redrawnAt = performance.now()
    for (const [event, characters] of events) change(event, characters)
  }

  /** Events before the first page mean nothing. */
  function change (event: SafeEvent, characters: number): void {
    if (event.type === META) start(event)
    if (rrweb === undefined) return
    kept += characters + EVENT_CHARACTERS
    if (kept > MAX_KEPT_CHARACTERS) onStuck()
    if (kept <= 2 * MAX_KEPT_CHARACTERS) add(rrweb, event)
  }

  /**
   * The clock is that of this page, since that of the recorder may be wrong. The first events are drawn at once, as are
   * those of a hidden page, which draws no frames.
   */
  function add (to: Rrweb, event: SafeEvent): void {
    const isFirst = event.type === META || event.type === FULL_SNAPSHOT
    const isAtOnce = isFirst || (document.hidden && clock.waiting === 0)
    event.timestamp = isAtOnce ? startedAt - 1 : Date.now()
    clock.add()
    to.addEvent(event)
  }

  function hold (event: SafeEvent, characters: number, to: NextPage): void {
    to.characters += characters + EVENT_CHARACTERS
    if (to.characters <= 2 * MAX_KEPT_CHARACTERS) to.events.push([event, characters])
  }

  function drop (): void {
    clearTimeout(timer)
    timer = next = undefined
  }

  return {
    drop,
    draw (event, characters) {
      if (event.type === META) meta = event
      else if (event.type === FULL_SNAPSHOT && meta !== undefined) {
        // The picture stays until there is another one.
        next = { events: [[meta, 0], [event, characters]], characters }
        timer ??= setTimeout(redraw, Math.max(0, redrawnAt + REDRAW_MS - performance.now()))
      } else if (next !== undefined) hold(event, characters, next)
      else change(event, characters)
    },
    close () {
      drop()
      end()
      scale.end()
      clock.end()
      container.remove()
    }
  }
}

const sizeOf = ({ data: { width, height } }: SafeEvent) => ({ width: Number(width), height: Number(height) })

/** The picture is no page to be used. Clicks on the frame do not reach it; this is for those by keyboard or script. */
function blockClicks (frame: HTMLIFrameElement): void {
  const prevent = (event: Event) => event.preventDefault()
  for (const type of ['click', 'auxclick', 'submit']) frame.contentDocument?.addEventListener(type, prevent, true)
}
