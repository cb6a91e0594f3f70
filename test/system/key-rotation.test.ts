import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import { joinCobrowse } from '../../lib/node/index.js'
import { body, buildApp } from '../support/build-app.js'
import { connect, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { SigningKey } from '../../types/index.js'

const CALLERS = 8
/** Admissions between two steps of a rotation. */
const ADMISSIONS = 40

const first: SigningKey = { id: 'hs-1', secret: 'the first secret, of 32 bytes !!!' }
const second: SigningKey = { id: 'hs-2', secret: 'the second secret, of 32 bytes !!' }
const { privateKey, publicKey } = generateKeyPairSync('ed25519')

/** Keys of one process, which change while it runs. */
class Vault {
  keys: readonly SigningKey[] = [first]
  current () { return this.keys }
}

/** Callers that ask a gateway and enter a room, again and again. */
function load (t: Test, enter: (room: string) => Promise<string>) {
  const seen = { admitted: new Map<string, number>(), refused: [] as string[] }
  const end = new AbortController()
  const callers = Array.from({ length: CALLERS }, async (_caller, number) => {
    for (let turn = 0; !end.signal.aborted; turn++) {
      try {
        const key = await enter(`room-${number}-${turn}`)
        seen.admitted.set(key, (seen.admitted.get(key) ?? 0) + 1)
      } catch (error) {
        seen.refused.push(inspect(error))
      }
    }
  })
  const stop = async () => {
    end.abort()
    await Promise.all(callers)
  }
  t.teardown(stop)
  const count = () => [...seen.admitted.values()].reduce((sum, each) => sum + each, 0)
  return {
    seen,
    stop,
    async more () {
      const goal = count() + ADMISSIONS
      await until(() => count() >= goal || seen.refused.length > 0, `${ADMISSIONS} more admissions`, 60_000)
    }
  }
}

t.test('keys – rotate twice under load, to a secret and to a private key – no good signature is refused', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const times = { heartbeat: 200, lease: 30_000, linger: 20 }
  const gateways = await Promise.all([new Vault(), new Vault()].map(async (vault) => {
    const { ask } = await buildApp(t, {
      options: { registry: makeRegistry(t, connect(t, port), times), signing: { keys: vault } }
    })
    return { vault, ask }
  }))
  const nodes = await Promise.all(['n1', 'n2'].map(async (id) => {
    const vault = new Vault()
    const registry = makeRegistry(t, connect(t, port), times)
    const node = await joinCobrowse({ registry, id, wssUrl: `wss://${id}.example/ws`, signing: { keys: vault } })
    t.teardown(async () => await node.close())
    return { vault, node }
  }))
  await until(async () => (await gateways[0]?.ask())?.json().retCode === '0', 'a first answer')

  let asked = 0
  const { seen, more, stop } = load(t, async (roomId) => {
    const gateway = gateways[asked++ % gateways.length]
    const answer = (await gateway?.ask({ payload: { ...body, roomId } }))?.json()
    const { signature, wssUrl } = answer.data
    const { node } = nodes.find(({ node }) => wssUrl.includes(node.id)) ?? {}
    const seat = await node?.admit(signature)
    seat?.leave()
    return JSON.parse(Buffer.from(signature.split('.')[0], 'base64url').toString()).kid
  })

  const publicHalf = { id: 'ed-1', publicKey }
  const steps: Array<[Vault[], readonly SigningKey[]]> = [
    [nodes.map(({ vault }) => vault), [first, second]],
    [gateways.map(({ vault }) => vault), [second, first]],
    [nodes.map(({ vault }) => vault), [second, publicHalf, first]],
    [gateways.map(({ vault }) => vault), [{ id: 'ed-1', privateKey }]],
    [nodes.map(({ vault }) => vault), [publicHalf, second]]
  ]
  await more()
  for (const [vaults, keys] of steps) {
    for (const vault of vaults) {
      vault.keys = keys
      await more()
    }
  }
  await stop()
  t.strictSame(seen.refused, [])
  for (const id of ['hs-1', 'hs-2', 'ed-1']) t.ok((seen.admitted.get(id) ?? 0) >= ADMISSIONS, `admitted with ${id}`)
})

t.test('a gateway – whose keys cannot be read any more – signs with the last ones, and says so once', async (t) => {
  const lines: Array<{ msg: string, reason?: string }> = []
  let fails = false
  const { ask } = await buildApp(t, {
    options: {
      signing: {
        keys: () => {
          if (fails) throw new Error('a secret of the vault')
          return [first]
        }
      }
    },
    server: { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } } }
  })
  fails = true
  for (let times = 0; times < 3; times++) t.equal((await ask()).json().retCode, '0')
  const told = lines.filter(({ msg }) => msg.includes('signing.keys'))
  t.match(told, [{ reason: 'Error', msg: '"signing.keys" has no usable keys: signing continues with the last ones' }])
  t.equal(told.length, 1)
})

t.test('a node – whose keys cannot be read any more – keeps the last ones, and warns of it', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  let keys: readonly SigningKey[] = [first]
  const registry = makeRegistry(t, connect(t, port), { linger: 20 })
  const node = await joinCobrowse({
    registry, id: 'n1', wssUrl: 'wss://n1.example/ws', signing: { keys: () => keys }
  })
  t.teardown(async () => await node.close())
  const warnings: Array<Error & { code?: string }> = []
  const listener = (warning: Error) => { warnings.push(warning) }
  process.on('warning', listener)
  t.teardown(() => { process.off('warning', listener) })
  keys = []
  const header = { alg: 'HS256', typ: 'cobrowse+jwt', kid: 'x' }
  const unknown = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.AAAA`
  for (let times = 0; times < 3; times++) {
    t.match(await node.admit(unknown).catch((error) => error), { closeCode: 4401 })
  }
  await until(() => warnings.some(({ code }) => code === 'FST_COBROWSE_SIGNING_KEYS'), 'a warning')
  t.equal(warnings.filter(({ code }) => code === 'FST_COBROWSE_SIGNING_KEYS').length, 1)
})
