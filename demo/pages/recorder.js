// Records this page for those who watch it. Nothing is sent before somebody does.
import { record } from '/demo/rrweb/rrweb.js'
import { PRIVATE, watchPrivate, withoutPrivate } from './private.js'

/** Above it the network is slower than the page changes: what was missed comes with a new snapshot. */
const MAX_WAITING_BYTES = 1024 * 1024
const CATCH_UP_MS = 250
/** A replayer may ask for a snapshot, but not for more than one in this time. */
const SNAPSHOT_MS = 500
/** What the relay node takes, with room for what is around the text. */
const MAX_MESSAGE_CHARACTERS = 1024 * 1024

/**
 * @param connection of the client helper
 * @param onTooLarge the page does not fit into a message
 */
export function startRecorder (connection, onTooLarge) {
  let isWatched = false
  /** The room is left a moment later than the sharing ends: whoever comes meanwhile sees nothing. */
  let isOver = false
  let isBehind = false
  let catchingUp
  let snapshot
  let lastSnapshotAt = -Infinity

  const stop = record({
    emit,
    // A length would tell something, too, and so would an event for each letter.
    blockSelector: PRIVATE,
    maskInputOptions: { password: true },
    maskInputFn: () => '••••••••',
    inlineStylesheet: true,
    recordCanvas: false,
    recordCrossOriginIframes: false,
    sampling: { mousemove: 50, scroll: 100 }
  })

  // What was seen before must not stay in the picture, and what was not is still missing from it.
  const unwatchPrivate = watchPrivate(takeSnapshot)

  function emit (whole) {
    if (!isWatched || isBehind) return
    const event = withoutPrivate(whole, (id) => record.mirror.getNode(id))
    if (event === undefined) return
    const text = JSON.stringify(event)
    if (text.length > MAX_MESSAGE_CHARACTERS) return onTooLarge()
    if (connection.bufferedAmount > MAX_WAITING_BYTES) return catchUp()
    connection.send(text)
  }

  function catchUp () {
    isBehind = true
    catchingUp = setTimeout(() => {
      if (connection.bufferedAmount > 0) return catchUp()
      isBehind = false
      takeSnapshot()
    }, CATCH_UP_MS)
  }

  function takeSnapshot () {
    if (!isWatched) return
    snapshot ??= setTimeout(() => {
      snapshot = undefined
      lastSnapshotAt = performance.now()
      record.takeFullSnapshot()
    }, Math.max(0, lastSnapshotAt + SNAPSHOT_MS - performance.now()))
  }

  return {
    /** Somebody has to see the whole page. */
    show () {
      isWatched = !isOver
      takeSnapshot()
    },
    /** Nobody watches. */
    rest () {
      isWatched = false
    },
    stop () {
      clearTimeout(catchingUp)
      clearTimeout(snapshot)
      isOver = true
      isWatched = false
      unwatchPrivate()
      stop()
    }
  }
}
