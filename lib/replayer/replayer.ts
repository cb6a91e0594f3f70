import { createEmitter } from '../client/emitter.js'
import { createInbox } from './inbox.js'
import { readMembers } from './messages.js'
import { createPicture } from './picture.js'
import { readReplayerOptions } from './settings.js'
import type { Size } from './picture.js'
import type { Replayer, ReplayerEvents, ReplayerOptions, ReplayerState } from '../../types/replayer.js'

/** Time between two requests for the whole page. */
const PATIENCE_MS = 2000

/**
 * Shows the page of the recorder, until it is closed.
 *
 * @throws TypeError that names the option and the rule
 */
export function createReplayer (options: ReplayerOptions): Replayer {
  const { root, connection, Replayer, title, signal } = readReplayerOptions(options)
  const events = createEmitter<ReplayerEvents>()
  const picture = createPicture({ root, Replayer, title, onDrawn, onStuck: ask, onProblem })
  const inbox = createInbox({
    onEvent: picture.draw,
    onNote: (note) => events.emit('note', note),
    onRefused: (reason) => events.emit('refused', reason)
  })
  const decoder = new TextDecoder()
  let state: ReplayerState = 'waiting'
  /** Unknown until the node tells: a replayer that joins late is not told of the members. */
  let recorder: number | null | undefined
  let hasPicture = false
  /** The picture is that of the recorder, or of the one that is not known yet. */
  let isLive = false
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

  function onDrawn (size: Size): void {
    hasPicture = isLive = true
    if (recorder !== null) change('showing')
    events.emit('picture', size)
  }

  function onProblem (problem: string): void {
    if (state === 'closed') return
    console.warn(`createReplayer: ${problem}`)
    events.emit('policy', problem)
  }

  /** What was read of a recorder means nothing for another one. */
  function forget (): void {
    isLive = false
    inbox.reset()
    picture.freeze()
  }

  /** The last picture stays until there is another one. */
  function follow (seen: number | null): void {
    if (seen === recorder) return
    if (recorder !== undefined || seen === null) forget()
    recorder = seen
    if (seen !== null) change(isLive ? 'showing' : 'loading')
    else change(hasPicture ? 'gone' : 'waiting')
  }

  function onMessage (message: string | ArrayBuffer): void {
    if (typeof message !== 'string') return onPeer(decoder.decode(message))
    const members = readMembers(message)
    if (members === undefined) return
    follow(members.recorder)
    events.emit('members', members)
  }

  function onPeer (message: string): void {
    if (recorder === null) return
    try {
      inbox.take(message)
    } catch {
      ask()
    }
  }

  /** The ids of members are those of one node. */
  function onOpen (): void {
    recorder = undefined
    forget()
  }

  const unsubscribe = [
    connection.on('message', onMessage), connection.on('open', onOpen), connection.on('close', () => follow(null))
  ]

  function close (): void {
    for (const stop of unsubscribe) stop()
    signal?.removeEventListener('abort', close)
    if (state !== 'closed') picture.close()
    change('closed')
  }

  signal?.addEventListener('abort', close)
  if (signal?.aborted) close()
  else if (connection.state === 'open') ask()
  return {
    get state () {
      return state
    },
    close,
    on: events.on
  }
}
