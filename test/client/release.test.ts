import t from 'tap'
import { elapse } from '../support/elapse.js'
import { eventually, until } from '../support/until.js'
import { named, startScriptedSite } from './scripted-site.js'
import { startClient, startSite } from './start-site.js'
import type { WebSocket } from 'ws'
import type { Client } from './start-site.js'

const lastMembers = ({ messages }: Client): unknown[] => JSON.parse(messages.at(-1) ?? '{}').members ?? []

t.test('release – called by one side – ends the call for both', async (t) => {
  const site = await startSite(t)
  const customer = site.connect()
  const agent = site.connect({ userId: 'agent', role: 'replayer' })
  await eventually(() => lastMembers(agent).length, 2)
  await customer.connection.endCall()
  t.equal(await customer.connection.closed, undefined)
  t.strictSame(customer.history, ['open', 'closed'])
  await until(() => agent.history.includes('retry 4410'))
  await eventually(() => lastMembers(agent).length, 1)
})

t.test('release – rejected by the gateway – throws, and the connection stays open', async (t) => {
  const site = await startSite(t, { options: { authorizeRelease: () => false } })
  const client = site.connect()
  await until(() => client.messages.length > 0)
  await t.rejects(client.connection.endCall(), { code: '40301' })
  t.equal(client.connection.state, 'open')
})

t.test('close code 4410 – while the gateway has not answered the release – is not followed', async (t) => {
  let socket: WebSocket | undefined
  const site = await startScriptedSite(t, [named(), (_request, response) => {
    socket?.close(4410, 'the call ended')
    elapse(200, 'the answer comes last').then(() => response.end(JSON.stringify({ retCode: '0' })))
  }], (opened) => {
    socket = opened
    opened.send('hello')
  })
  const client = startClient(t, { baseUrl: site.base, token: 't', roomId: 'r', userId: 'u', userName: 'U', role: 'recorder' })
  await until(() => client.messages.length > 0)
  await client.connection.endCall()
  t.equal(await client.connection.closed, undefined)
  t.strictSame(client.history, ['open', 'closed'])
  t.equal(site.asked.length, 2)
})
