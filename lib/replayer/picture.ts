// Rebuilds the recorder's page from the events that the guard lets through, inside a frame that runs no scripts
// (rrweb's, sandboxed without allow-scripts).
import { watchClock } from './clock.js'
import { blockClicks, prepareFrame } from './frame.js'
import { FULL_SNAPSHOT, META } from './guard/guard.js'
import { createPace, EVENT_CHARACTERS } from './pace.js'
import { findProblem } from './policy.js'
import { startRrweb } from './rrweb.js'
import { createScale } from './scale.js'
import type { SafeEvent } from './guard/guard.js'
import type { Draw } from './pace.js'
import type { Rrweb } from './rrweb.js'
import type { RrwebReplayerClass } from '../../types/replayer.js'

/** rrweb keeps each event. At this size the page is requested again; at twice this size further events are dropped. */
const MAX_KEPT_CHARACTERS = 64 * 1024 * 1024

const CONTAINER = 'position: relative; width: 100%; overflow: hidden'

export interface Size {
  width: number
  height: number
}

export interface PictureOptions {
  root: Element
  Replayer: RrwebReplayerClass
  title: string
  /** A whole page is drawn. */
  onDrawn (size: Size): void
  /** The whole page is needed again. */
  onStuck (): void
  /** A policy does not do its part. */
  onProblem (problem: string): void
}

export interface Picture {
  /** @param characters size of the event */
  draw: Draw
  /** Stands still until the next whole page. */
  freeze (): void
  close (): void
}

export function createPicture ({ root, Replayer, title, onDrawn, onStuck, onProblem }: PictureOptions): Picture {
  const container = document.createElement('div')
  container.style.cssText = CONTAINER
  root.append(container)
  const scale = createScale(container)
  const clock = watchClock(onStuck)
  const pace = createPace(draw)
  let rrweb: Rrweb | undefined
  let frame: { end (): void } | undefined
  let kept = 0
  let startedAt = 0
  let isChecked = false

  function start (size: SafeEvent): Rrweb {
    end()
    const started = startRrweb(Replayer, container, onStuck)
    const { iframe } = started
    frame = prepareFrame(iframe, title)
    scale.fit(iframe)
    started.on('resize', scale.update)
    started.on('fullsnapshot-rebuilded', () => {
      blockClicks(iframe)
      checkOnce(iframe)
      onDrawn(sizeOf(size))
    })
    started.on('event-cast', clock.drawn)
    startedAt = Date.now()
    kept = 0
    started.startLive(startedAt)
    return started
  }

  function checkOnce (iframe: HTMLIFrameElement): void {
    if (isChecked) return
    isChecked = true
    // A browser that cannot tell does not keep the page from being shown.
    findProblem(iframe).then((problem) => { if (problem !== undefined) onProblem(problem) }).catch(() => {})
  }

  function end (): void {
    clock.reset()
    frame?.end()
    try {
      rrweb?.destroy()
    } catch {
      // The application may have removed the picture.
    }
    rrweb = undefined
    container.textContent = ''
  }

  function draw (event: SafeEvent, characters: number): void {
    if (event.type === META) rrweb = start(event)
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

  return {
    draw: pace.take,
    freeze: pace.drop,
    close () {
      pace.drop()
      end()
      scale.end()
      container.remove()
    }
  }
}

const sizeOf = ({ data: { width, height } }: SafeEvent): Size => ({ width: Number(width), height: Number(height) })
