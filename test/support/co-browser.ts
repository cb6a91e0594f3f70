import { WebSocket } from 'ws'
import { PATH } from './build-app.js'
import { elapse } from './elapse.js'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

const ASK_AGAIN_MS = 100

export interface CoBrowserOptions {
  gateway: FastifyInstance
  token: string
  userId: string
  roomId: string
  role: 'recorder' | 'replayer'
}

/** A browser in a session: it asks, connects, and asks again whenever it is disconnected. */
export class CoBrowser {
  readonly options: CoBrowserOptions
  /** Address of the node with this client inside. */
  inside: string | undefined
  /** Close codes of its WebSockets. */
  readonly closed: number[] = []
  /** Answers of the gateway other than success. */
  readonly refusals: string[] = []
  #socket: WebSocket | undefined
  #isStopped = false

  constructor (t: Test, options: CoBrowserOptions) {
    this.options = options
    t.teardown(() => this.stop())
    this.#follow().catch((error) => t.fail(error))
  }

  stop (): void {
    this.#isStopped = true
    this.#socket?.terminate()
  }

  async #follow (): Promise<void> {
    while (!this.#isStopped) {
      const answer = await this.#ask()
      if (answer === undefined) await elapse(ASK_AGAIN_MS, 'time before the next request')
      else await this.#sit(answer)
    }
  }

  async #ask (): Promise<{ wssUrl: string, signature: string } | undefined> {
    const { gateway, token, userId, roomId, role } = this.options
    const response = await gateway.inject({
      method: 'POST',
      url: PATH,
      headers: { 'content-type': 'application/json', 'ccmessaging-token': token },
      payload: { roomId, userId, userName: role, role }
    })
    const { retCode, data } = response.json()
    if (retCode !== '0') this.refusals.push(retCode)
    return data
  }

  /** Resolves when the client is disconnected. */
  async #sit ({ wssUrl, signature }: { wssUrl: string, signature: string }): Promise<void> {
    const socket = new WebSocket(wssUrl, ['cobrowse.v1', signature])
    this.#socket = socket
    const code = await new Promise<number>((resolve) => {
      socket.once('message', () => { this.inside = wssUrl })
      socket.once('error', () => resolve(1006))
      socket.once('close', resolve)
    })
    if (this.inside !== undefined) this.closed.push(code)
    this.inside = undefined
    if (!this.#isStopped) await elapse(ASK_AGAIN_MS, 'time before the next request')
  }
}
