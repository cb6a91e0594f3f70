import { connect } from 'node:net'

export interface RawAnswer {
  status: number
  head: string
  body: string
  /** All data received until the server closed. */
  text: string
  ms: number
}

/** Sends bytes unchanged and reads until the server closes, or until `isDone` accepts the text so far. */
export async function sendRaw (
  port: number, bytes: string | Buffer, isDone: (text: string) => boolean = () => false
): Promise<RawAnswer> {
  const startedAt = performance.now()
  const socket = connect(port, '127.0.0.1')
  let text = ''
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (isDone(text)) socket.destroy()
    })
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
  return { status, head, body: rest.join('\r\n\r\n'), text, ms: performance.now() - startedAt }
}

/** Builds one whole request that asks the server to close afterwards. */
export function rawPost (path: string, lines: readonly string[], body: string | Buffer = ''): Buffer {
  const payload = Buffer.isBuffer(body) ? body : Buffer.from(body)
  const head = [
    `POST ${path} HTTP/1.1`, 'Host: gateway.example', 'Connection: close', `Content-Length: ${payload.length}`, ...lines
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), payload])
}
