// Records this page for its viewers. Nothing is sent before there is one.
import { record } from '/demo/rrweb/rrweb.js'
import { PRIVATE, watchPrivate, withoutPrivate } from './private.js'

/** Above this amount the network is slower than the page changes: missed events are replaced by a new snapshot. */
const MAX_WAITING_BYTES = 1024 * 1024
const CATCH_UP_MS = 250
/** A replayer may ask for a snapshot, but gets no more than one in this time. */
const SNAPSHOT_MS = 500
/** The limit of the relay node, with room for the envelope of the text. */
const MAX_MESSAGE_CHARACTERS = 1024 * 1024

/**
 * @param connection of the client helper
 * @param onTooLarge the page does not fit into a message
 */
export function startRecorder (connection, onTooLarge) {
  let isWatched = false
  /** The room is left a moment after the sharing ends: a viewer that joins in between sees nothing. */
  let isOver = false
  let isBehind = false
  let catchingUp
  let snapshot
  let lastSnapshotAt = -Infinity

  const stop = record({
    emit,
    // A length would reveal something, too, and so would an event for each letter.
    blockSelector: PRIVATE,
    maskInputOptions: { password: true },
    maskInputFn: () => '••••••••',
    inlineStylesheet: true,
    recordCanvas: false,
    recordCrossOriginIframes: false,
    sampling: { mousemove: 50, scroll: 100 }
  })

  // A part that became private must not stay in the picture, and one that became public is missing from it.
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
    /** A viewer needs the whole page. */
    show () {
      isWatched = !isOver
      takeSnapshot()
    },
    /** No viewer is left. */
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
