import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { hears } from '../pair.js'
import { expect, suppose } from '../result.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'

const HANDSHAKES = 20
const STEP_MS = 3
/** A busy machine may miss the moments of one wave. */
const WAVES = 3

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
    // All signatures first: a node that an early wave ends has no rooms for those of a later one.
    const signatures = []
    while (signatures.length < WAVES * HANDSHAKES) signatures.push(await fixture.sign(fixture.room(), 'recorder'))
    while (signatures.length > 0) {
      const wave = signatures.splice(0, HANDSHAKES)
      await Promise.all(wave.map(async (signature, at) => await reset(url, signature, at * STEP_MS)))
    }
    expect(await hears(fixture, inside.recorder, inside.replayer), 'the room of honest clients was closed')
    expect((await fixture.store.registration(fixture.settings.nodeId)) !== null, 'the node left the registry')
    await fixture.pair()
  }
}

const releasesAfterResets: Rule = {
  id: 'resets-releases',
  rule: 'releases the rooms of clients that reset the connection',
  async check (fixture) {
    const { settings: { answerMs }, store } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    for (const side of [recorder, replayer]) side.terminate()
    const others = Array.from({ length: HANDSHAKES }, () => fixture.room())
    const signatures = []
    for (const key of others) signatures.push(await fixture.sign(key, 'recorder'))
    const url = new URL(fixture.address)
    await Promise.all(signatures.map(async (signature, at) => await reset(url, signature, at * STEP_MS)))
    const areFree = await waitFor(async () => {
      const bindings = await Promise.all([room, ...others].map(store.binding))
      return bindings.every((binding) => binding?.state !== 'claimed')
    }, answerMs)
    expect(areFree === true, `a room is still claimed ${answerMs} ms after its clients reset their connections`)
  }
}

export const resets: readonly Rule[] = [survivesResets]
export const afterResets: readonly Rule[] = [releasesAfterResets]
