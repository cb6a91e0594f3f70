import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { hears } from '../pair.js'
import { expect } from '../result.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'

const HANDSHAKES = 20
const STEP_MS = 3

function toHandshake ({ host, pathname }: URL, signature: string): string {
  return [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: cobrowse.v1, ${signature}`,
    '', ''
  ].join('\r\n')
}

/** Sends a handshake, and resets the connection a little later. */
async function reset (url: URL, signature: string, afterMs: number): Promise<void> {
  const isSecure = url.protocol === 'wss:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const tcp = connect(Number(url.port || (isSecure ? 443 : 80)), host)
  const channel = isSecure ? connectTls({ socket: tcp, servername: url.hostname }) : tcp
  for (const socket of new Set([tcp, channel])) socket.on('error', () => {})
  channel.write(toHandshake(url, signature))
  await waitFor(() => !tcp.connecting, 1000, 5)
  await sleep(afterMs)
  tcp.resetAndDestroy()
}

const survivesResets: Rule = {
  id: 'resets',
  rule: 'survives clients that reset the connection while their signatures are checked',
  async check (fixture) {
    const inside = await fixture.pair()
    const url = new URL(fixture.address)
    const signatures = []
    while (signatures.length < HANDSHAKES) signatures.push(await fixture.sign(fixture.room(), 'recorder'))
    await Promise.all(signatures.map(async (signature, at) => await reset(url, signature, at * STEP_MS)))
    expect(await hears(fixture, inside.recorder, inside.replayer), 'the room of honest clients was closed')
    expect((await fixture.store.registration(fixture.settings.nodeId)) !== null, 'the node left the registry')
    await fixture.pair()
  }
}

export const resets: readonly Rule[] = [survivesResets]
