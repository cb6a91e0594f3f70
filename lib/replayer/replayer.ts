import { createEmitter } from './emitter.js'
import { createGuard } from './guard/guard.js'
import { Refusal } from './guard/values.js'
import { readMembers, readNote } from './messages.js'
import { createParts } from './parts.js'
import { createPicture } from './picture.js'
import { readReplayerOptions } from './settings.js'
import type { LeftOut } from './guard/nodes.js'
import type { Replayer, ReplayerEvents, ReplayerOptions, ReplayerState } from '../../types/replayer.js'

/** Time between two requests for the whole page. */
const PATIENCE_MS = 2000

const LEFT_OUT: Record<LeftOut, string> = {
  frames: 'Pages that are embedded in this page are not shown.',
  canvas: 'Drawings of this page are not shown.',
  media: 'Videos and sounds of this page are not played.',
  images: 'Images that this page loads from a server are not shown.'
}

/**
 * Shows the page of the recorder, until it is closed.
 *
 * @throws TypeError that names the option and the rule
 */
export function createReplayer (options: ReplayerOptions): Replayer {
  const { root, connection, Replayer, title, signal } = readReplayerOptions(options)
  const events = createEmitter<ReplayerEvents>()
  const parts = createParts()
  const guard = createGuard()
  const told = new Set<LeftOut>()
  const text = new TextDecoder()
  const picture = createPicture({ root, Replayer, title, onDrawn, onStuck: ask, onProblem: warn })
  let state: ReplayerState = 'waiting'
  let recorder: number | undefined
  let hasPicture = false
  let askedAt = -Infinity

  function change (to: ReplayerState): void {
    if (state === to || state === 'closed') return
    state = to
    events.emit('state', to)
  }

  function ask (): void {
    if (performance.now() - askedAt < PATIENCE_MS) return
    askedAt = performance.now()
    connection.send('snapshot')
  }

  function onDrawn (size: { width: number, height: number }): void {
    hasPicture = true
    if (recorder !== undefined) change('showing')
    events.emit('picture', size)
  }

  function follow (seen: number | null): void {
    if (seen === recorder) return
    recorder = seen ?? undefined
    parts.drop()
    if (recorder !== undefined) return change('loading')
    picture.drop()
    change(hasPicture ? 'gone' : 'waiting')
  }

  function take (message: string): void {
    const kind = message[0] ?? ''
    if (kind === '!') return takeNote(message.slice(1))
    if (!'<+>'.includes(kind) || kind === '') {
      parts.drop()
      return show(message)
    }
    const whole = parts.add(message)
    if (whole !== undefined) show(whole)
  }

  function takeNote (message: string): void {
    const note = readNote(message)
    if (note !== undefined) events.emit('note', note)
  }

  function show (message: string): void {
    const { event, refusal, leftOut = [] } = guard.read(message)
    if (refusal !== undefined) return events.emit('refused', refusal)
    if (event !== undefined) picture.draw(event, message.length)
    for (const kind of leftOut) tell(kind)
  }

  function tell (kind: LeftOut): void {
    if (told.has(kind)) return
    told.add(kind)
    events.emit('note', { code: 'left-out', text: LEFT_OUT[kind] })
  }

  function onMessage (message: string | ArrayBuffer): void {
    if (typeof message !== 'string') return onPeer(text.decode(message))
    const members = readMembers(message)
    if (members === undefined) return
    follow(members.recorder)
    events.emit('members', members)
  }

  function onPeer (message: string): void {
    if (recorder === undefined) return
    try {
      take(message)
    } catch (error) {
      if (error instanceof Refusal) events.emit('refused', error.message)
      else ask()
    }
  }

  // The ids of members are those of one node.
  const onOpen = () => { recorder = undefined }
  const unsubscribe = [
    connection.on('message', onMessage), connection.on('open', onOpen), connection.on('close', () => follow(null))
  ]

  function close (): void {
    for (const stop of unsubscribe) stop()
    signal?.removeEventListener('abort', close)
    if (state !== 'closed') picture.close()
    change('closed')
  }

  function warn (problem: string): void {
    if (state === 'closed') return
    console.warn(`createReplayer: ${problem}`)
    events.emit('policy', problem)
  }

  signal?.addEventListener('abort', close)
  if (signal?.aborted) close()
  return {
    get state () {
      return state
    },
    close,
    on: events.on
  }
}
