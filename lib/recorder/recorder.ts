import { audienceOf } from './audience.js'
import { createCapture } from './capture.js'
import { createEmitter } from '../client/emitter.js'
import { readRecorderOptions } from './settings.js'
import type { Recorder, RecorderEvents, RecorderNote, RecorderOptions, RecorderState } from '../../types/recorder.js'

const NEEDS_SNAPSHOT = 'snapshot'
const PAUSED: RecorderNote = { code: 'paused', text: 'The customer has paused the sharing.' }
const RESUMED: RecorderNote = { code: 'resumed', text: 'The customer goes on sharing.' }
const STOPPED: RecorderNote = { code: 'stopped', text: 'The customer has stopped sharing.' }

/**
 * Shows this page to the replayers of its room, from now on. Nothing leaves the page before a replayer is there. The
 * call is the consent: ask the customer first.
 *
 * @throws TypeError that names the option and the rule
 */
export function startRecorder (options: RecorderOptions): Recorder {
  const settings = readRecorderOptions(options)
  const { connection, signal } = settings
  const events = createEmitter<RecorderEvents>()
  const audience = audienceOf(connection)
  const capture = createCapture(settings, (note) => events.emit('note', note))
  let state: RecorderState = 'waiting'
  let isPaused = false
  let isStopped = false
  let told = { watchers: '[]', isStandby: false }
  /** The viewers that have been seen here before. */
  let known = new Set<number>()

  /** The names of the viewers of this recorder. */
  function watchers (): readonly string[] {
    return isStopped ? [] : audience.names
  }

  function nextState (): RecorderState {
    if (isStopped) return 'stopped'
    if (isPaused) return 'paused'
    if (audience.isStandby) return 'standby'
    return audience.names.length > 0 ? 'watched' : 'waiting'
  }

  function update (): void {
    const before = state
    state = nextState()
    if (state !== 'watched') capture.rest()
    else if (countNew() > 0 || before !== 'watched') capture.show()
    tellChanges(before)
  }

  function countNew (): number {
    const before = known
    known = new Set(audience.ids)
    return audience.ids.filter((id) => !before.has(id)).length
  }

  function tellChanges (before: RecorderState): void {
    const names = watchers()
    const isStandby = !isStopped && audience.isStandby
    const toldBefore = told
    told = { watchers: JSON.stringify(names), isStandby }
    if (told.watchers !== toldBefore.watchers) events.emit('watchers', names)
    if (isStandby !== toldBefore.isStandby) events.emit('standby', isStandby)
    if (state !== before) events.emit('state', state)
  }

  function onAudience (): void {
    // A viewer that comes now does not know it.
    if (isPaused && countNew() > 0) capture.tell(PAUSED)
    update()
  }

  /** A replayer can only say that it needs the whole page. */
  function onMessage (message: string | ArrayBuffer): void {
    if (typeof message === 'string' || message.byteLength !== NEEDS_SNAPSHOT.length) return
    if (new TextDecoder().decode(message) !== NEEDS_SNAPSHOT) return
    audience.meet()
    if (state === 'watched') capture.show()
  }

  function onConnection (connected: string): void {
    if (connected === 'closed') end()
  }

  function pause (): void {
    if (isPaused || isStopped) return
    isPaused = true
    update()
    if (audience.names.length > 0) capture.tell(PAUSED)
  }

  function resume (): void {
    if (!isPaused || isStopped) return
    isPaused = false
    if (audience.names.length > 0) capture.tell(RESUMED)
    update()
  }

  function stop (): void {
    if (isStopped) return
    capture.rest()
    if (audience.names.length > 0) capture.tell(STOPPED)
    end()
  }

  function end (): void {
    if (isStopped) return
    isStopped = true
    for (const unsubscribe of subscriptions) unsubscribe()
    signal?.removeEventListener('abort', stop)
    capture.end()
    update()
  }

  if (settings.onNote !== undefined) events.on('note', settings.onNote)
  const subscriptions = [
    connection.on('message', onMessage), connection.on('state', onConnection), audience.onChange(onAudience)
  ]
  if (signal?.aborted || connection.state === 'closed') end()
  signal?.addEventListener('abort', stop)
  // The viewers may be known already. The caller subscribes to the events first.
  queueMicrotask(update)
  return {
    get state () {
      return state
    },
    get watchers () {
      return watchers()
    },
    pause,
    resume,
    stop,
    show () {
      if (state === 'watched') capture.show()
    },
    on: events.on
  }
}
