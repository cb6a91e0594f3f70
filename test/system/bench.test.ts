import { fork } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { connectClient } from '../../bench/relay/client.mjs'
import { drawChart } from '../../bench/chart.mjs'
import { knownRooms, nextRequest, PATH } from '../../bench/scenario.mjs'
import { eventually } from '../support/until.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'

async function startServer (t: Test, variant: string): Promise<string> {
  const child = fork('bench/server.mjs', [variant, '0'])
  t.teardown(() => child.kill())
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  return `http://127.0.0.1:${port}${PATH}`
}

const ask = async (url: string, request: object) => {
  const response = await fetch(url, { method: 'POST', ...request })
  return { status: response.status, body: await response.json() as { data?: Record<string, string> } }
}

t.test('the chart – any results – has a bar for each, with its share', async (t) => {
  const svg = drawChart([
    { name: 'a & b', mode: 'known', share: 1 }, { name: 'c', mode: 'new', share: 0.5 }, { name: 'd', mode: 'mix', share: 0.25 }
  ], '2 × <cpu>')
  t.equal(svg.match(/<rect x=/g)?.length, 3)
  for (const text of ['a &amp; b, known', '>1.00<', '>0.50<', '>0.25<', '2 × &lt;cpu>']) t.ok(svg.includes(text), text)
})

t.test('the compared servers – the requests of the load – answer what they should', async (t) => {
  const [bare, memory] = [await startServer(t, 'bare'), await startServer(t, 'memory')]
  const [known = {}] = knownRooms()
  for (const url of [bare, memory]) {
    const { status, body } = await ask(url, known)
    t.equal(status, 200)
    t.strictSame(Object.keys(body.data ?? {}).sort(), ['roomId', 'signature', 'wssUrl', 'wssUrlOut'])
  }
  t.equal((await ask(memory, nextRequest('new', 'prefix'))).status, 200)
  const statuses = []
  for (let count = 0; count < 10; count++) statuses.push((await ask(memory, nextRequest('mix', 'prefix'))).status)
  t.strictSame(statuses.sort(), [200, 200, 200, 200, 200, 200, 200, 200, 200, 401])
})

async function sign (child: ChildProcess, clients: object[]): Promise<string[]> {
  child.send({ id: 1, what: 'sign', clients })
  const [{ answer }] = await once(child, 'message') as [{ answer: string[] }]
  return answer
}

t.test('the compared relays – a message of the load – reaches the other side', async (t) => {
  for (const kind of ['bare', 'ours'] as const) {
    const child = fork('bench/relay/server.mjs', [kind])
    t.teardown(() => child.kill())
    const [{ port }] = await once(child, 'message') as [{ port: number }]
    const places = [{ room: 'r', role: 'recorder' }, { room: 'r', role: 'replayer' }]
    const signatures = kind === 'ours' ? await sign(child, places) : []
    const heard: string[] = []
    const [recorder] = await Promise.all(places.map(async (place, at) =>
      await connectClient(kind, { port, ...place, signature: signatures[at] }, (data) => heard.push(String(data)))))
    recorder?.send('a message')
    await eventually(() => heard, ['a message'], kind)
  }
})
