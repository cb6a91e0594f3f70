import { StrictMode, useRef } from 'react'
import { createRoot } from 'react-dom/client'
import { useReplayer } from './use-replayer.js'

const WORDS = {
  waiting: 'Waiting for the customer.',
  loading: 'Waiting for the picture.',
  showing: 'This is the customer\'s page.',
  gone: 'The customer has left.',
  closed: 'Closed.'
}

function Agent () {
  const root = useRef(null)
  const { connection, replayer, members, note, problem } = useReplayer(root, 'agent-1')
  return (
    <>
      <h1>Agent</h1>
      <p role='status'>
        Connection: <output id='connection'>{connection}</output>. <span id='state'>{WORDS[replayer]}</span>{' '}
        <span id='members'>{members.map(({ name }) => name).join(', ')}</span> <span>{note}</span> <span>{problem}</span>
      </p>
      <div id='picture' ref={root} style={{ width: '90vw', height: '75vh', overflow: 'hidden', border: '1px solid' }} />
    </>
  )
}

createRoot(document.getElementById('root')).render(<StrictMode><Agent /></StrictMode>)
