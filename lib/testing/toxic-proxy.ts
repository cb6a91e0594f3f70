import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AddressInfo, Socket } from 'node:net'

/**
 * `pass` forwards · `hang` holds data in both directions and forwards it later, like a network that lost packets or a
 * suspended process · `refuse` resets open connections and accepts none.
 */
export type ProxyMode = 'pass' | 'hang' | 'refuse'

export interface ToxicProxyOptions {
  /** The server's port. */
  port: number
  /** @default '127.0.0.1' */
  host?: string | undefined
  /** Port of the proxy. Left out: a free one. */
  listenPort?: number | undefined
}

/** Proxy between a client and its server on loopback that imitates faults of networks. */
export interface ToxicProxy {
  readonly port: number
  /** Connections that are open now. */
  readonly connections: number
  set (mode: ProxyMode): void
  /** Switches to another server, and resets connections to the previous one. */
  retarget (port: number): void
  /** Delays all data by this many milliseconds, in both directions. */
  delay (ms: number): void
  /** Splits all data into pieces of at most this many bytes, 1 ms apart. */
  slice (bytes: number): void
  close (): Promise<void>
}

/** @throws if the proxy cannot listen on the port */
export async function startToxicProxy (
  { port: firstPort, host = '127.0.0.1', listenPort = 0 }: ToxicProxyOptions
): Promise<ToxicProxy> {
  const pairs = new Set<[Socket, Socket]>()
  let port = firstPort
  let mode: ProxyMode = 'pass'
  let delayMs = 0
  let sliceBytes = Infinity
  let passing = Promise.resolve()
  let resume = () => {}

  const server = createServer((client) => {
    if (mode === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(port, host)
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    hand(client, upstream)
    hand(upstream, client)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
  })

  function hand (from: Socket, to: Socket): void {
    let turn = Promise.resolve()
    from.on('data', (data) => {
      const dueAt = performance.now() + delayMs
      from.pause()
      turn = turn.then(async () => await forward(data, to, dueAt)).then(() => { from.resume() })
    })
    from.on('end', () => { turn = turn.then(() => { to.end() }) })
  }

  async function forward (data: Buffer, to: Socket, dueAt: number): Promise<void> {
    await passing
    const wait = dueAt - performance.now()
    if (wait > 0) await sleep(wait)
    for (let at = 0; at < data.length; at += sliceBytes) {
      if (at > 0) await sleep(1)
      if (to.writable) to.write(data.subarray(at, Math.min(data.length, at + sliceBytes)))
    }
  }

  server.listen(listenPort, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on a port has an AddressInfo.
  const address = server.address() as AddressInfo

  return {
    port: address.port,
    get connections () {
      return pairs.size
    },
    set (next) {
      if (next !== 'hang') resume()
      else if (mode !== 'hang') passing = new Promise((resolve) => { resume = resolve })
      mode = next
      if (mode === 'refuse') for (const [client] of pairs) client.resetAndDestroy()
    },
    retarget (next) {
      port = next
      for (const [client] of pairs) client.resetAndDestroy()
    },
    delay (ms) {
      delayMs = ms
    },
    slice (bytes) {
      sliceBytes = bytes
    },
    async close () {
      for (const pair of pairs) for (const socket of pair) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
