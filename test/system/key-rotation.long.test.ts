import { generateKeyPairSync } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { joinCobrowse } from '../../lib/node/index.js'
import { body, buildApp } from '../support/build-app.js'
import { elapse } from '../support/elapse.js'
import { connect, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { startSentinels } from '../support/redis-sentinel.js'
import { withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { SigningKey } from '../../types/index.js'
import type { Seat } from '../../types/node.js'

const CALLERS = 8
const LOAD_MS = 60_000
const PAUSE_MS = 50
const TIMES = { heartbeat: 500, lease: 3000, linger: 6 }
const LIFETIMES = { ttl: 4, skew: 2 }
/** Longer than a signature lives: keys may be dropped then. */
const SIGNATURES_END_MS = (LIFETIMES.ttl + LIFETIMES.skew) * 1000

const first: SigningKey = { id: 'hs-1', secret: 'the first secret, of 32 bytes !!!' }
const second: SigningKey = { id: 'hs-2', secret: 'the second secret, of 32 bytes !!' }
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const privateHalf: SigningKey = { id: 'ed-1', privateKey }
const publicHalf: SigningKey = { id: 'ed-1', publicKey }

interface Vault { keys: readonly SigningKey[] }
interface Side { kid: string, nodeId: string, seat: Seat }

async function deploy (t: Test) {
  const watched = await startSentinels(t)
  await skipSettling(connect(t, watched.primary.port))
  const makeOne = () => {
    const client = new Redis({ sentinels: watched.sentinels, name: watched.name }).on('error', () => {})
    t.teardown(() => client.disconnect())
    return makeRegistry(t, client, TIMES)
  }
  const createVault = () => {
    const vault: Vault = { keys: [first] }
    return { vault, signing: { keys: () => vault.keys, ...LIFETIMES } }
  }
  const gateways = await Promise.all([1, 2].map(async () => {
    const { vault, signing } = createVault()
    const { ask } = await buildApp(t, { options: { registry: makeOne(), signing } })
    return { vault, ask }
  }))
  const nodes = await Promise.all(['n1', 'n2'].map(async (id) => {
    const { vault, signing } = createVault()
    const node = await joinCobrowse({ registry: makeOne(), id, wssUrl: `wss://${id}.example/ws`, signing })
    t.teardown(async () => await node.close())
    return { id, vault, node }
  }))
  const rotate = (some: Array<{ vault: Vault }>, keys: readonly SigningKey[]) => {
    for (const { vault } of some) vault.keys = keys
  }
  return { watched, gateways, nodes, rotate }
}

t.test('two rotations of keys and a fail-over – in a minute of load – no good signature is refused, no room split', {
  skip: withoutRedis, timeout: 240_000
}, async (t) => {
  const { watched, gateways, nodes, rotate } = await deploy(t)
  const seen = { entered: new Map<string, number>(), refused: 0, again: 0, away: 0, splits: [] as string[] }
  const end = new AbortController()

  /** Asks a gateway, again if need be, and enters the room. */
  async function enter (roomId: string, which: number): Promise<Side | undefined> {
    while (!end.signal.aborted) {
      const answer = (await gateways[which]?.ask({ payload: { ...body, roomId } }))?.json()
      if (answer.retCode === '0') {
        const { signature, wssUrl } = answer.data
        const { id, node } = nodes.find(({ id }) => wssUrl.includes(id)) ?? {}
        try {
          const seat = await node?.admit(signature)
          const { kid } = JSON.parse(Buffer.from(signature.split('.')[0], 'base64url').toString())
          if (seat !== undefined && id !== undefined) return { seat, nodeId: id, kid }
        } catch (error) {
          // Another code says that the room or the node has moved on, and to ask again.
          if ((error as { closeCode?: number }).closeCode === 4401) seen.refused++
          else seen.again++
        }
      } else {
        seen.away++
      }
      await elapse(PAUSE_MS, 'the pause of a client that asks again')
    }
    return undefined
  }

  async function call (roomId: string): Promise<void> {
    const one = await enter(roomId, 0)
    let isInside = true
    one?.seat.ended.then(() => { isInside = false }, () => {})
    const other = await enter(roomId, 1)
    if (one !== undefined && other !== undefined) {
      await elapse(PAUSE_MS, 'a node that lost the room disconnects its clients')
      if (isInside && one.nodeId !== other.nodeId) seen.splits.push(`${roomId}: ${one.nodeId} and ${other.nodeId}`)
      seen.entered.set(other.kid, (seen.entered.get(other.kid) ?? 0) + 1)
    }
    one?.seat.leave()
    other?.seat.leave()
  }

  const endOfLoad = performance.now() + LOAD_MS
  const callers = Array.from({ length: CALLERS }, async (_caller, number) => {
    for (let turn = 0; !end.signal.aborted; turn++) await call(`room-${number}-${turn}`)
  })
  const uses = async (kid: string) => {
    await until(() => (seen.entered.get(kid) ?? 0) >= 100, `100 calls with ${kid}`, 60_000)
  }

  await uses('hs-1')
  rotate(nodes, [first, second])
  rotate(gateways, [second, first])
  await uses('hs-2')
  await elapse(SIGNATURES_END_MS, 'the end of the signatures of the first key')
  const isOver = watched.failOver()
  rotate(nodes, [second, publicHalf])
  rotate(gateways, [privateHalf])
  await isOver
  await uses('ed-1')
  await elapse(SIGNATURES_END_MS, 'the end of the signatures of the second key')
  rotate(nodes, [publicHalf])
  const before = seen.entered.get('ed-1') ?? 0
  await elapse(Math.max(1000, endOfLoad - performance.now()), 'the rest of the minute')
  end.abort()
  await Promise.all(callers)

  t.comment(JSON.stringify({ ...seen, entered: Object.fromEntries(seen.entered) }))
  t.equal(seen.refused, 0, 'no good signature was refused')
  t.strictSame(seen.splits, [])
  t.ok((seen.entered.get('ed-1') ?? 0) > before, 'calls go on after the last step')
})
