import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { useRecorder } from './use-recorder.js'

function Customer () {
  const [isShared, setShared] = useState(false)
  const { connection, recorder, watchers, problem, endCall } = useRecorder(isShared, 'customer-1')

  async function stop () {
    await endCall().catch(() => {})
    setShared(false)
  }

  return (
    <>
      <h1>Transfer</h1>
      <Form />
      <hr />
      {isShared
        ? <button id='stop' onClick={stop}>Stop sharing</button>
        : <button id='share' onClick={() => setShared(true)}>Share this page</button>}
      <p role='status'>
        Connection: <output id='connection'>{connection}</output>, recorder: <output id='recorder'>{recorder}</output>.{' '}
        <span id='watchers'>{watchers.length > 0 && `Watching: ${watchers.join(', ')}`}</span> <span>{problem}</span>
      </p>
    </>
  )
}

function Form () {
  const [rows, setRows] = useState(1)
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <p><label>Amount <input id='amount' /></label></p>
      <p><label>Password <input id='password' type='password' /></label></p>
      <ul>{Array.from({ length: rows }, (_, at) => <li key={at}>Recipient {at + 1}</li>)}</ul>
      <button id='more' type='button' onClick={() => setRows(rows + 1)}>One more recipient</button>
    </form>
  )
}

createRoot(document.getElementById('root')).render(<StrictMode><Customer /></StrictMode>)
