import t from 'tap'
import { checkProvision, readProvision } from '../../../lib/cli/doctor/provision.js'
import { address, json, startHttpServer } from '../../support/http-server.js'
import { findFreePort } from '../../support/redis-server.js'
import { expectFinding, NO_ENV } from './expect.js'
import type { Finding } from '../../../lib/cli/doctor/finding.js'
import type { Answer } from '../../support/http-server.js'

// Most of a check is waiting.
t.jobs = 4

Object.assign(process.env, NO_ENV)

t.test('doctor – an answer of CC-Provision – is accepted as gateways accept it', async (t) => {
  expectFinding(t, [await checkProvision(readProvision({}))], ['provision', 'not checked', /give --provision URL/])
  const server = await startHttpServer(t, json({}))
  for (const [answer, outcome, text] of [
    [address('relay.example:8443'), 'ok', /answers after \d\.\d s: the external address is relay\.example:8443$/],
    [address('ws://relay.example'), 'warning', /which must begin with wss:\/\//],
    [json({ other: 1 }), 'fault', /answer has no address/],
    [json({}, 401), 'fault', /credentials refused \(401\)/],
    [address('https://relay.example'), 'fault', /the address in the answer must begin with wss/]
  ] as Array<[Answer, Finding['outcome'], RegExp]>) {
    server.answer(answer)
    expectFinding(t, [await checkProvision(readProvision({ provision: server.url }))], ['provision', outcome, text])
  }
})

t.test('doctor – a CC-Provision that is down – is a fault', async (t) => {
  const port = await findFreePort()
  const down = await checkProvision(readProvision({ provision: `http://127.0.0.1:${port}/?key=hush` }))
  expectFinding(t, [down], ['provision', 'fault', /connection refused \(ECONNREFUSED\)/])
  t.notMatch(down.text, 'hush')
})

t.test('doctor – the request to CC-Provision – carries the values and credentials that are given', async (t) => {
  process.env.PROVISION_AUTHORIZATION = 'Bearer hush'
  t.teardown(() => Object.assign(process.env, NO_ENV))
  const server = await startHttpServer(t, json({ at: 'relay.example' }))
  const question = readProvision({ provision: `${server.url}/a?tenant={tenantId}`, tenant: 't 1', pick: '/at' })
  expectFinding(t, [await checkProvision(question)], ['provision', 'ok', /relay\.example/])
  t.match(server.requests[0], { url: '/a?tenant=t%201', headers: { authorization: 'Bearer hush' } })
})

t.test('doctor – arguments of CC-Provision that do not fit – name the argument', async (t) => {
  for (const [values, message] of [
    [{ provision: 'provision' }, /^--provision must be an http/],
    [{ provision: 'http://127.0.0.1/{tenantId}' }, /^--tenant is missing/],
    [{ provision: 'http://127.0.0.1', pick: 'at' }, /^--pick must be a JSON pointer/]
  ] as const) {
    t.throws(() => readProvision(values), { name: 'UsageError', message })
  }
})
