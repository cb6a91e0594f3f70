import { useEffect, useState } from 'react'
import { connect } from 'fastify-cobrowse/client'
import { createReplayer } from 'fastify-cobrowse/replayer'
import { Replayer } from 'rrweb'
import { logIn, ROOM } from './room.js'

const IDLE = { connection: 'closed', replayer: 'waiting', members: [], note: '', problem: '' }

/**
 * Shows the page of the room's recorder for as long as the component is mounted.
 *
 * @param root ref of the element that gets the picture; it needs a size
 * @returns the states of both, who is in the room, and the last note and the last problem in words
 */
export function useReplayer (root, userId) {
  const [viewing, setViewing] = useState(IDLE)

  useEffect(() => {
    const connection = connect({ ...ROOM, userId, userName: userId, role: 'replayer', token: () => logIn(userId) })
    const replayer = createReplayer({ root: root.current, connection, Replayer })
    const update = (change) => setViewing((before) => ({
      ...before, connection: connection.state, replayer: replayer.state, ...change
    }))
    connection.on('state', () => update())
    connection.on('open', () => update({ problem: '' }))
    connection.on('retry', ({ error }) => update({ problem: error.message }))
    replayer.on('state', () => update())
    replayer.on('members', ({ members }) => update({ members }))
    replayer.on('note', ({ text }) => update({ note: text }))
    replayer.on('refused', (reason) => update({ problem: reason }))
    return () => {
      replayer.close()
      connection.close()
    }
  }, [root, userId])

  return viewing
}
