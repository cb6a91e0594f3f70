import { decodeProtectedHeader } from 'jose'
import { body, buildApp, session, signing } from '../support/build-app.js'
import { pastStalls } from '../support/past-stalls.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { CobrowseOptions, Registry, RoomKey, SelectNode } from '../../types/index.js'

export interface IsolatingStore {
  /** The registry of one gateway; the test closes it. */
  open (t: Test): Promise<Registry>
  /** Writes into a room, in each call as one kind of unreadable binding. Left out: the store has no such thing. */
  spoilings?: Array<(room: RoomKey) => Promise<void>>
  /** Writes the record of the node "spoilt"; "good" is a healthy one. */
  writeRecord? (record: string): Promise<void>
  /** Makes the store unreachable. */
  stop? (): Promise<void>
}

/** More than the breaker needs to open. */
const TIMES = 30
const GOOD_RECORD = '{"wssUrl":"wss://spoilt.example/ws"}'

let lastRoom = 0
const newRoomId = () => `isolated-${++lastRoom}`

/** One bad room, node record or function of the host costs its own answers only, and a store that is away is spared. */
export function isolationContract (t: Test, store: IsolatingStore): void {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => { unhandled.push(reason) }
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))

  async function startGateway (t: Test, options: Partial<CobrowseOptions> = {}) {
    const registry = await store.open(t)
    let asked = 0
    const counting: Registry = {
      ...registry,
      async assign (...args) {
        asked++
        return await registry.assign(...args)
      }
    }
    const { ask } = await buildApp(t, {
      options: { registry: counting, signing: { ...signing, ttl: 2, skew: 1 }, timeout: 5000, ...options }
    })
    async function kindOf (roomId = newRoomId()): Promise<string> {
      const { retCode, data } = (await pastStalls(async () => await ask({ payload: { ...body, roomId } }))).json()
      if (retCode !== '0') return retCode
      return decodeProtectedHeader(data.signature).typ === 'cobrowse+jwt' ? data.wssUrl : 'join-only'
    }
    const isNormal = async (roomId?: string) => /^wss:/.test(await kindOf(roomId))
    await until(isNormal, 'a normal answer')
    return {
      kindOf,
      isNormal,
      registry,
      askedFor: async (work: () => Promise<unknown>) => {
        const before = asked
        await work()
        return asked - before
      },
      /** The different answers for this room. */
      async kindsOf (roomId?: string) {
        const kinds = new Set<string>()
        for (let count = 0; count < TIMES; count++) kinds.add(await kindOf(roomId))
        return [...kinds]
      }
    }
  }

  t.test('a binding that cannot be read – asked for again and again – costs its room only', async (t) => {
    for (const spoil of store.spoilings ?? []) {
      const { kindsOf, isNormal } = await startGateway(t)
      const roomId = newRoomId()
      await spoil({ tenant: session.tenantId, room: roomId })
      t.strictSame(await kindsOf(roomId), ['50302'])
      for (let count = 0; count < 5; count++) t.ok(await isNormal(), 'another room is answered')
    }
  })

  t.test('a node record that cannot be read – and a gateway that never read it – costs the rooms of its node only', {
    skip: store.writeRecord === undefined && 'no records of others'
  }, async (t) => {
    await store.writeRecord?.(GOOD_RECORD)
    const before = await startGateway(t)
    const rooms = { spoilt: '', good: '' }
    await until(async () => {
      const roomId = newRoomId()
      const kind = await before.kindOf(roomId)
      rooms[kind === 'wss://spoilt.example/ws' ? 'spoilt' : 'good'] = roomId
      return rooms.spoilt !== '' && rooms.good !== ''
    }, 'a room on each node')
    await store.writeRecord?.('garbage')
    const { kindsOf, isNormal } = await startGateway(t)
    t.strictSame(await kindsOf(rooms.spoilt), ['50302'])
    for (let count = 0; count < 5; count++) {
      t.ok(await isNormal(rooms.good), 'a room of the healthy node is answered')
      t.ok(await isNormal(), 'and a new one')
    }
    await store.writeRecord?.(GOOD_RECORD)
  })

  t.test('a "selectNode" that fails costs no room, and is not blamed on the registry', async (t) => {
    const failing: Array<() => unknown> = [
      () => { throw new Error('of the host') },
      async () => await Promise.reject(new Error('of the host')),
      async () => [],
      () => undefined
    ]
    let choose: () => unknown = () => undefined
    let isFailing = false
    // A host that does not use TypeScript may return anything.
    const selectNode = ((candidates) => isFailing ? choose() : candidates) as SelectNode
    const { kindOf, kindsOf, isNormal } = await startGateway(t, { selectNode })
    const known = newRoomId()
    await until(async () => await isNormal(known))
    for (choose of failing) {
      isFailing = true
      // A busy machine may exceed the limit of a call now and then; a breaker that opened would end no try well.
      await until(async () => (await kindsOf()).every((kind) => kind.startsWith('wss:')), 'new rooms on the least loaded nodes')
      await until(async () => (await kindOf(known)).startsWith('wss:'), 'a room that has its node needs no choice')
      isFailing = false
      await until(isNormal)
    }
    t.strictSame(unhandled, [])
  })

  t.test('a store that is away is not asked by every request', {
    skip: store.stop === undefined && 'it cannot be away'
  }, async (t) => {
    const { kindOf, askedFor } = await startGateway(t)
    await store.stop?.()
    await until(async () => await kindOf() === '50302')
    const asked = await askedFor(async () => {
      for (let count = 0; count < 2 * TIMES; count++) t.equal(await kindOf(), '50302')
    })
    t.ok(asked < TIMES, `asked ${asked} times in ${2 * TIMES} requests`)
  })
}
