import { useEffect, useRef, useState } from 'react'
import { connect } from 'fastify-cobrowse/client'
import { startRecorder } from 'fastify-cobrowse/recorder'
import { record } from 'rrweb'
import { logIn, ROOM } from './room.js'

const IDLE = { connection: 'closed', recorder: 'stopped', watchers: [], problem: '' }

/**
 * Shares this page for as long as `isShared` is true and the component is mounted.
 *
 * @returns the states of both, the names of the viewers, the last problem in words, and `endCall`
 */
export function useRecorder (isShared, userId) {
  const [sharing, setSharing] = useState(IDLE)
  const current = useRef(null)

  useEffect(() => {
    if (!isShared) return undefined
    const connection = connect({ ...ROOM, userId, userName: userId, role: 'recorder', token: () => logIn(userId) })
    const recorder = startRecorder({ connection, record })
    current.current = connection
    const update = (change) => setSharing((before) => ({
      ...before, connection: connection.state, recorder: recorder.state, watchers: recorder.watchers, ...change
    }))
    connection.on('state', () => update())
    connection.on('open', () => update({ problem: '' }))
    connection.on('retry', ({ error }) => update({ problem: error.message }))
    recorder.on('state', () => update())
    recorder.on('watchers', () => update())
    recorder.on('note', ({ text }) => update({ problem: text }))
    return () => {
      recorder.stop()
      connection.close()
      current.current = null
      setSharing(IDLE)
    }
  }, [isShared, userId])

  return { ...sharing, endCall: async () => await current.current?.endCall() }
}
