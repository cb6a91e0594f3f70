import { connect } from 'node:net'

const LIMIT_MS = 3000

/** No answer, or a broken connection. */
export const LOST = 'lost'

/**
 * Shows a signature to a node. `answer` is "ok", the close code or LOST; after "ok", `ended` resolves with the reason
 * for the end of the seat: the close code, LOST or "left".
 */
export async function takeSeat (port, signature) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  const said = createReader(socket)
  socket.write(`${signature}\n`)
  const timer = setTimeout(() => socket.destroy(), LIMIT_MS)
  const answer = await said()
  clearTimeout(timer)
  if (answer !== 'ok') {
    socket.destroy()
    return { answer }
  }
  let hasLeft = false
  return {
    answer,
    ended: said().then((code) => hasLeft ? 'left' : code),
    leave () {
      hasLeft = true
      socket.destroy()
    }
  }
}

/** Yields one line after the other, then LOST. */
function createReader (socket) {
  let text = ''
  let wake = () => {}
  socket.on('data', (data) => {
    text += data
    wake()
  })
  socket.on('error', () => {})
  socket.on('close', () => wake())
  return async function next () {
    while (!text.includes('\n')) {
      if (socket.destroyed) return LOST
      await new Promise((resolve) => { wake = resolve })
    }
    const [line] = text.split('\n', 1)
    text = text.slice(line.length + 1)
    return line
  }
}
