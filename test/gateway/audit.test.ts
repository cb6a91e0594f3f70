import t from 'tap'
import { memoryRegistry } from '../../lib/index.js'
import { body, buildApp, NODES, session } from '../support/build-app.js'
import { failWith } from '../support/scripted-registry.js'
import { eventually } from '../support/until.js'
import type { Issued } from '../../types/index.js'

function logOf () {
  const lines: Array<Record<string, unknown>> = []
  const logger = { level: 'info', stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } }
  return {
    server: { requestTimeout: 1000, logger },
    failures: () => lines.filter(({ msg }) => String(msg).includes('onIssued'))
  }
}

t.test('each signature – normal or join-only, for a request or a call of the decorator – is told to the host', async (t) => {
  const issued: Issued[] = []
  const inner = memoryRegistry({ nodes: NODES })
  let { assign } = inner
  const { app, ask } = await buildApp(t, {
    server: { genReqId: () => 'req-of-test' },
    options: {
      registry: { ...inner, assign: async (...args) => await assign(...args) },
      onIssued: (one) => { issued.push(one) }
    }
  })
  const { data } = (await ask()).json()
  await ask({ headers: { cookie: '' } })
  await app.cobrowse.connectionInfo(session, { ...body, role: 'replayer' })
  assign = failWith(new Error('away'))
  await ask()
  const { wssUrl } = data
  t.match(issued, [
    { session, room: body.roomId, role: 'recorder', node: { wssUrl }, joinOnly: false, request: { id: 'req-of-test' } },
    { session, room: body.roomId, role: 'replayer', node: { wssUrl }, joinOnly: false, request: undefined },
    { session, room: body.roomId, role: 'recorder', node: { wssUrl }, joinOnly: true }
  ])
  t.equal(issued.length, 3, 'nothing for a refused request')
})

t.test('an audit that hangs, throws or rejects – changes no answer, and is logged once in a row', async (t) => {
  const { server, failures } = logOf()
  let onIssued: () => unknown = () => { throw new Error('secret of the host') }
  const { ask } = await buildApp(t, { server, options: { onIssued: () => onIssued() } })
  const askOnce = async () => t.equal((await ask()).json().retCode, '0')
  await askOnce()
  await askOnce()
  onIssued = async () => { throw new Error('secret of the host') }
  await askOnce()
  await eventually(() => failures().length, 1)
  t.match(failures(), [{ level: 50, plugin: 'fastify-cobrowse', reason: 'Error' }])
  onIssued = async () => await new Promise(() => {})
  await askOnce()
  onIssued = async () => {}
  await askOnce()
  onIssued = async () => { throw new TypeError('again') }
  await askOnce()
  await eventually(() => failures().length, 2, 'a failure after a success is another one')
})

t.test('a wrong "onIssued" option – stops the start with a sentence that names it', async (t) => {
  await t.rejects(buildApp(t, { options: { onIssued: 'audit' as never } }), /"onIssued" option .* a function/)
})
