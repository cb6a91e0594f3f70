import { createOutbox } from './outbox.js'
import { createPrivacy } from './privacy.js'
import { createRedact } from './redact.js'
import { ADOPTED_STYLE_SHEET } from './rrweb.js'
import { MASK } from './attributes.js'
import { createShown } from './shown.js'
import { createStates } from './states.js'
import type { RecorderNote, RrwebEvent } from '../../types/recorder.js'
import type { RecorderSettings } from './settings.js'

/** Shortest time between two snapshots. */
const SNAPSHOT_MS = 500
/** A large page stands still while it is read: at most for a fifth of the time. */
const REST_FACTOR = 4
const LOOK_MS = 50
/** Characters of one event. */
export const MAX_CHARACTERS = 32 * 1024 * 1024
const TOO_LARGE_MS = 10_000
/** A page that was too large is tried again if the number of its elements changes by this share. */
const MUCH = 0.1
const MEBI = 1024 * 1024

/** Records the page and sends it, while it is on. */
export interface Capture {
  /** Sends the whole page as soon as possible, and its changes from then on. */
  show (): void
  /** Sends nothing more. */
  rest (): void
  tell (note: RecorderNote): void
  end (): void
}

export function createCapture (settings: RecorderSettings, onNote: (note: RecorderNote) => void): Capture {
  const { connection, record } = settings
  const outbox = createOutbox(connection)
  const privacy = createPrivacy(settings)
  const states = createStates(record.mirror, emit)
  const shown = createShown({ privacy, show: settings.show, onRoot: states.watch, onChange: showAgain })
  const redact = createRedact(record.mirror, privacy, shown)
  let stopRrweb: (() => void) | undefined
  /** Viewers have the page, or are about to get it. */
  let isOn = false
  /** A snapshot is being taken. */
  let isTaking = false
  /** Changes are missing in the picture: it has to be sent again. */
  let isBehind = false
  /** Number of elements when the page was too large. */
  let tooMany: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let nextAt = -Infinity

  function show (): void {
    isOn = true
    timer ??= setTimeout(takeSnapshot, Math.max(0, nextAt - performance.now()))
  }

  function showAgain (): void {
    if (isOn) show()
  }

  function takeSnapshot (): void {
    timer = undefined
    const isSlow = isBehind && connection.bufferedAmount > 0
    if (outbox.isBusy || isSlow || document.readyState === 'loading') {
      timer = setTimeout(takeSnapshot, LOOK_MS)
      return
    }
    const startedAt = performance.now()
    isBehind = false
    tooMany = undefined
    isTaking = true
    if (stopRrweb === undefined) start()
    else record.takeFullSnapshot()
    isTaking = false
    const endedAt = performance.now()
    const rest = Math.max(SNAPSHOT_MS, REST_FACTOR * (endedAt - startedAt))
    nextAt = endedAt + (tooMany === undefined ? rest : TOO_LARGE_MS)
  }

  function start (): void {
    stopRrweb = record({
      emit,
      // Changes inside of a private part are not even events, and its room is kept.
      blockSelector: privacy.selector,
      maskInputOptions: { password: true },
      maskInputFn: () => MASK,
      inlineStylesheet: true,
      recordCanvas: false,
      recordCrossOriginIframes: false,
      sampling: { mousemove: 50, scroll: 100 }
    }) ?? (() => {})
  }

  function emit (event: RrwebEvent): void {
    if (!isOn) return
    try {
      send(event)
    } catch (error) {
      // rrweb calls this inside of functions of the page, which must not fail because of it.
      queueMicrotask(() => { throw error })
      if (!isTaking) fallBehind()
    }
  }

  function send (event: RrwebEvent): void {
    if (tooMany !== undefined) return lookAgain(tooMany)
    if (isBehind) return
    const redacted = redact(event)
    if (redacted === undefined) return
    const text = JSON.stringify(redacted)
    if (text.length > MAX_CHARACTERS) return giveUp(text.length)
    if (isTaking || isPartOfSnapshot(event)) outbox.putWhole(text)
    else if (!outbox.putChange(text)) fallBehind()
  }

  function fallBehind (): void {
    isBehind = true
    show()
  }

  /** The sharing goes on: the page may become smaller. */
  function giveUp (characters: number): void {
    tooMany = countElements()
    nextAt = performance.now() + TOO_LARGE_MS
    const size = Math.round(characters / MEBI)
    tell({ code: 'too-large', text: `This page is too large to be shown: ${size} MB of at most ${MAX_CHARACTERS / MEBI} MB.` })
  }

  function lookAgain (before: number): void {
    if (performance.now() < nextAt) return
    if (Math.abs(countElements() - before) > MUCH * before) show()
    else nextAt = performance.now() + SNAPSHOT_MS
  }

  function tell (note: RecorderNote): void {
    onNote(note)
    outbox.putWhole(`!${JSON.stringify(note)}`)
  }

  function rest (): void {
    isOn = false
    isBehind = false
    clearTimeout(timer)
    timer = undefined
    outbox.clear()
    shown.clear()
  }

  return {
    show,
    rest,
    tell,
    end () {
      rest()
      stopRrweb?.()
      stopRrweb = undefined
      states.end()
    }
  }
}

/** rrweb sends documents of frames and adopted sheets a moment after the snapshot. */
function isPartOfSnapshot ({ data }: RrwebEvent): boolean {
  const { isAttachIframe, source } = Object(data)
  return isAttachIframe === true || source === ADOPTED_STYLE_SHEET
}

const countElements = (): number => document.getElementsByTagName('*').length
