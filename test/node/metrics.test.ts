import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import { memoryRegistry } from '../../lib/index.js'
import { AdmissionError, joinCobrowse } from '../../lib/node/index.js'
import { issuerWith } from '../support/issuer.js'
import type { ClaimResult, Registry, RoomKey } from '../../types/index.js'

const signing = { keys: [{ id: 'test', secret: 'a secret of the tests, long enough' }] }

const ROOM = { tenant: 't1', room: 'secret-room' }

/** A registry whose memberships lapse, and lose a room, by hand. */
function lapsing () {
  const registry = memoryRegistry()
  let onLapse = () => {}
  let onLost = (_room: RoomKey) => {}
  const wrapped: Registry = {
    ...registry,
    async join (record) {
      const membership = await registry.join(record)
      return {
        ...membership,
        on (event, listener) {
          if (event === 'lapsed') onLapse = listener as () => void
          if (event === 'lost') onLost = listener as (room: RoomKey) => void
          return membership.on(event, listener)
        }
      }
    }
  }
  return { registry: wrapped, lapse: () => onLapse(), lose: () => onLost(ROOM) }
}

t.test('nodes with one prom-client registry – count admissions and lapses, and show their states', async (t) => {
  const metrics = new PromRegistry()
  const { registry, lapse } = lapsing()
  const [n2, n1] = [
    await joinCobrowse({ registry, id: 'n2', wssUrl: 'wss://n2.example/ws', signing, metrics }),
    await joinCobrowse({ registry, id: 'n1', wssUrl: 'wss://n1.example/ws', signing, metrics })
  ]
  t.teardown(async () => await Promise.all([n1.close(), n2.close()]))
  const issue = issuerWith(signing)
  const seat = await n1.admit(issue({
    tenant: 't1', room: 'secret-room', user: 'secret-user', name: '王芳', role: 'recorder', node: n1, issuedAt: Date.now()
  }))
  await t.rejects(n1.admit('no signature'), AdmissionError)
  lapse()
  const text = await metrics.metrics()
  for (const line of [
    'cobrowse_node_rooms{node="n1"} 1',
    'cobrowse_node_rooms{node="n2"} 0',
    'cobrowse_node_seats{node="n1"} 1',
    'cobrowse_node_state{node="n1",state="serving"} 1',
    'cobrowse_node_state{node="n1",state="draining"} 0',
    'cobrowse_node_admissions_total{node="n1",outcome="admitted",close_code="none"} 1',
    'cobrowse_node_admissions_total{node="n1",outcome="refused",close_code="4401"} 1',
    'cobrowse_node_lapses_total{node="n1"} 1'
  ]) t.match(text, line)
  t.notMatch(text, /secret|王芳/)

  seat.leave()
  await n1.close()
  const later = await metrics.metrics()
  t.notMatch(later, 'cobrowse_node_state{node="n1"', 'a closed node is not shown any more')
  t.match(later, 'cobrowse_node_state{node="n2",state="serving"} 1')
})

t.test('metrics of a node – claims with each result, and a room that another node holds – are counted from zero', async (t) => {
  const metrics = new PromRegistry()
  const { registry, lose } = lapsing()
  const results: Array<ClaimResult | Error> = []
  const claiming: Registry = {
    ...registry,
    async join (record) {
      const membership = await registry.join(record)
      return {
        ...membership,
        async claim (room, options) {
          const result = results.shift() ?? await membership.claim(room, options)
          if (result instanceof Error) throw result
          return result
        }
      }
    }
  }
  const node = await joinCobrowse({ registry: claiming, id: 'n1', wssUrl: 'wss://n1.example/ws', signing, metrics })
  t.teardown(async () => await node.close())
  const issue = issuerWith(signing)
  const admit = async () => await node.admit(issue({ ...ROOM, user: 'u', name: 'U', role: 'recorder', node, issuedAt: Date.now() }))
  const countOf = async (result: string) =>
    new RegExp(`claims_total\\{node="n1",result="${result}"\\} (\\d+)`).exec(await metrics.metrics())?.[1]
  const words = ['ok', 'elsewhere', 'lapsed', 'ended', 'failed']

  for (const word of words) t.equal(await countOf(word), '0', word)
  t.match(await metrics.metrics(), 'cobrowse_node_rooms_lost_total{node="n1"} 0')
  t.match(await metrics.metrics(), 'cobrowse_node_lapses_total{node="n1"} 0')

  results.push('elsewhere', 'lapsed', 'ended', new Error('the store is away'))
  for (let left = results.length; left > 0; left--) await t.rejects(admit(), AdmissionError)
  await admit()
  for (const word of words) t.equal(await countOf(word), '1', word)
  lose()
  t.match(await metrics.metrics(), 'cobrowse_node_rooms_lost_total{node="n1"} 1')
})

t.test('a wrong "metrics" option – stops the join with a sentence that names it', async (t) => {
  const { registry } = lapsing()
  const options = { registry, wssUrl: 'wss://n1.example/ws', signing, metrics: {} as PromRegistry }
  await t.rejects(joinCobrowse(options), /"metrics" option of joinCobrowse must be a prom-client registry/)
})
