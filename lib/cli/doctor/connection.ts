import { setTimeout as sleep } from 'node:timers/promises'
import { askForEnd, askForRoom } from '../../client/ask.js'
import { CobrowseError } from '../../client/cobrowse-error.js'
import { randomId } from '../../random-id.js'
import { createConnect } from '../../testing/conformance/client.js'
import { fault, ok, warning } from './finding.js'
import { adviseOnAnswer, adviseOnEnd, describe } from './advice.js'
import type { Answer } from '../../client/ask.js'
import type { ClientSettings } from '../../client/settings.js'
import type { Client } from '../../testing/conformance/client.js'
import type { CheckNodeOptions } from '../../../types/testing.js'
import type { Finding } from './finding.js'
import type { Secrets } from './secrets.js'

const SUB_PROTOCOL = 'cobrowse.v1'
const OPEN_MS = 3000
/** A node that refuses a client says so at once, or closes the connection as soon as it has asked its store. */
const STAYS_MS = 1000
/** On Redis a node learns of the end of a call with its next heartbeat. */
const END_MS = 4000
const LOOK_MS = 20

export interface ConnectionCheck {
  settings: ClientSettings
  WebSocket: CheckNodeOptions['WebSocket']
  secrets: Secrets
}

/** A room that no call has. */
export const newRoom = () => `doctor-${randomId()}`

/** Makes one whole connection: ask, open, be admitted, end. The first step that fails is the last one. */
export async function checkConnection ({ settings, WebSocket, secrets }: ConnectionCheck): Promise<Finding[]> {
  const asked = await ask(settings)
  if ('outcome' in asked) return [asked]
  const { signature, wssUrl, wssUrlOut } = asked
  secrets.add(signature)
  const address = wssUrlOut ?? wssUrl ?? ''
  const findings = [ok('ask', `the gateway names a node at ${address}`)]
  const client = createConnect(WebSocket, address)(signature)
  try {
    findings.push(...await visit(client, address))
    const isAdmitted = findings.every(({ outcome }) => outcome === 'ok')
    return [...findings, ...await end(settings, isAdmitted ? client : undefined)]
  } finally {
    client.terminate()
  }
}

async function ask (settings: ClientSettings): Promise<Answer | Finding> {
  try {
    return await askForRoom(settings, {
      isRefused: false, unopened: undefined, signal: new AbortController().signal
    })
  } catch (error) {
    return fault('ask', `the gateway names no node: ${describe(error)}`, adviseOnAnswer(error))
  }
}

async function visit (client: Client, address: string): Promise<Finding[]> {
  await waitFor(() => client.protocol !== undefined || client.end !== undefined, OPEN_MS)
  const { protocol } = client
  if (protocol === undefined) {
    const how = client.end?.text ?? `no answer within ${OPEN_MS / 1000} s`
    return [fault('open', `the WebSocket at ${address} does not open: ${how}`, adviseOnEnd(client.end))]
  }
  if (protocol !== SUB_PROTOCOL) {
    return [fault('open', `the node at ${address} answers without the sub-protocol ${SUB_PROTOCOL}`,
      'is this the address of a relay node, and does the load balancer pass Sec-WebSocket-Protocol?')]
  }
  const opened = ok('open', `the WebSocket at ${address} opens`)
  await waitFor(() => client.end !== undefined, STAYS_MS)
  if (client.end === undefined) return [opened, ok('admit', `the node admits the client, which stays for ${STAYS_MS / 1000} s`)]
  return [opened, fault('admit', `the node does not admit the client: ${client.end.text}`, adviseOnEnd(client.end))]
}

/** Ends the call in any case, so that no binding is left. */
async function end (settings: ClientSettings, client: Client | undefined): Promise<Finding[]> {
  try {
    await askForEnd(settings, {})
  } catch (error) {
    const isOptional = error instanceof CobrowseError && [403, 404].includes(error.status ?? 0)
    const text = `the gateway does not end the call: ${describe(error)}`
    if (isOptional) return [warning('end', text, 'may this user end calls? The room stays bound for the linger')]
    return [fault('end', text, adviseOnAnswer(error))]
  }
  if (client === undefined) return []
  const startedAt = performance.now()
  await waitFor(() => client.end !== undefined, END_MS)
  const { end } = client
  if (end === undefined) {
    return [warning('end', `the call ended, and the node kept its client for ${END_MS / 1000} s`,
      'a node has to close the room with its next heartbeat: run check-node')]
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  return [ok('end', `the call ended, and the client was ${end.text} after ${seconds} s`)]
}

async function waitFor (isDone: () => boolean, ms: number): Promise<void> {
  for (const endsAt = performance.now() + ms; !isDone() && performance.now() < endsAt;) await sleep(LOOK_MS)
}
