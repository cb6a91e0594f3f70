import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'

export interface SwitchableProxy {
  readonly port: number
  /** Leads new connections to this port; open ones stay. */
  leadTo (port: number): void
  /** Resets every connection. */
  cut (): void
  /** Number of connections so far. */
  connections (): number
}

/** Starts a proxy whose target may change, like the name of a primary. Closed with the test. */
export async function startSwitchableProxy (t: Test, target: number): Promise<SwitchableProxy> {
  const sockets = new Set<Socket>()
  let present = target
  let count = 0
  const server = createServer((incoming) => {
    count++
    const outgoing = connect(present, '127.0.0.1')
    for (const [socket, other] of [[incoming, outgoing], [outgoing, incoming]] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  const cut = () => { for (const socket of sockets) socket.destroy() }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    cut()
    await closed
  })
  return {
    // A server that listens on TCP has a port.
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => { present = port },
    cut,
    connections: () => count
  }
}
