import { once } from 'node:events'
import http2 from 'node:http2'
import { body, PATH } from './build-app.js'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'

export interface Http2Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Sends the valid body over HTTP/2, on a connection of its own. Each cookie of a list has its own header line. */
export async function askHttp2 (port: number, headers: OutgoingHttpHeaders): Promise<Http2Answer> {
  const client = http2.connect(`http://127.0.0.1:${port}`)
  try {
    const stream = client.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/json', ...headers })
    const answer: Http2Answer = { status: 0, headers: {}, text: '' }
    stream.setEncoding('utf8').on('data', (chunk) => { answer.text += chunk })
    stream.on('response', (head) => Object.assign(answer, { status: head[':status'], headers: head }))
    stream.end(JSON.stringify(body))
    await once(stream, 'end', { signal: AbortSignal.timeout(10_000) })
    return answer
  } finally {
    client.destroy()
  }
}
