import { checkNodeRecord, MAX_RECORD_BYTES } from '../../../registry/nodes/node-record.js'
import { BrokenRule, expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { redisOf, zookeeperOf } from '../store.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'

/** Number of measured gaps between heartbeats: a single one may be longer on a busy machine. */
const GAPS = 3
const MOST_GAPS = 9

const registers: Rule = {
  id: 'registers',
  rule: 'registers under an incarnation of 22 characters of Base64url, with a lease of the agreed length',
  async check ({ settings: { nodeId, times, answerMs }, store }) {
    const found = await waitFor(async () => {
      const present = await store.registration(nodeId)
      return present?.isAlive === true && present
    }, answerMs)
    expect(found !== undefined, `no lease of "${nodeId}" lives in the store`)
    expect(/^[\w-]{22}$/.test(found.incarnation), `the incarnation is ${JSON.stringify(found.incarnation)}`)
    const leftMs = found.leaseEnds - await store.now()
    expect(leftMs <= times.lease || leftMs === Infinity, `its lease lasts ${leftMs} ms; ${times.lease} were agreed`)
  }
}

const record: Rule = {
  id: 'record',
  rule: 'has a record in the store that fits docs/node-contract/node-record.schema.json',
  async check (fixture) {
    const { id, record } = await fixture.node()
    expect(record !== null, 'there is no record')
    expect(Buffer.byteLength(record) <= MAX_RECORD_BYTES, `the record is longer than ${MAX_RECORD_BYTES} bytes`)
    try {
      checkNodeRecord(id, JSON.parse(record))
    } catch (error) {
      throw new BrokenRule(String(error))
    }
  }
}

const heartbeat: Rule = {
  id: 'heartbeat',
  store: 'Redis',
  rule: 'renews its lease heartbeat by heartbeat, under the same incarnation',
  async check (fixture) {
    const { settings: { times, answerMs }, store } = fixture
    const first = await fixture.node()
    const gaps: number[] = []
    let last = first.leaseEnds
    const isAgreed = () => {
      const [, median = Infinity] = gaps.slice(-GAPS).toSorted((one, other) => one - other)
      return gaps.length >= GAPS && median >= times.heartbeat / 2 && median <= 2 * times.heartbeat
    }
    await waitFor(async () => {
      const present = await store.registration(first.id)
      expect(present?.incarnation === first.incarnation, 'it registered again')
      // The end of a lease moves with each heartbeat.
      if (present.leaseEnds !== last) gaps.push(present.leaseEnds - last)
      last = present.leaseEnds
      return gaps.length === MOST_GAPS || isAgreed()
    }, GAPS * times.lease + answerMs, times.heartbeat / 8)
    expect(gaps.length >= GAPS, `it sent ${gaps.length} heartbeats in ${GAPS} leases`)
    expect(isAgreed(), `its heartbeats were ${gaps.join(', ')} ms apart; agreed: ${times.heartbeat}`)
  }
}

const agreedTimes: Rule = {
  id: 'times',
  store: 'Redis',
  rule: 'sends the agreed lease, heartbeat and linger with its scripts',
  async check (fixture) {
    const { lease, heartbeat, linger } = fixture.settings.times
    const [agreed, inForce] = [`${lease} ${heartbeat} ${linger}`, await redisOf(fixture).timesInForce()]
    expect(inForce === agreed, `the longest of all processes are ${inForce}; agreed: ${agreed}`)
  }
}

const hasZnodes: Rule = {
  id: 'znodes',
  store: 'ZooKeeper',
  rule: 'registers as an ephemeral znode, and its id as a persistent one',
  async check (fixture) {
    const znodes = await zookeeperOf(fixture).znodesOf(await fixture.node())
    suppose(znodes !== undefined, 'the node is not registered any more')
    expect(znodes.isNodeEphemeral, 'the znode of the node is persistent: it outlives the node')
    expect(!znodes.isIdEphemeral, 'the znode of the id is ephemeral: nobody learns that the node died')
  }
}

const countsRooms: Rule = {
  id: 'record-rooms',
  rule: 'counts its open rooms in the record',
  async check (fixture) {
    const inside = [await fixture.pair(), await fixture.pair()]
    const count = async () => Number(roomsIn((await fixture.node()).record))
    const isCounted = await waitFor(async () => await count() >= inside.length, fixture.settings.beatMs)
    const seen = await count()
    expect(isCounted === true, `with ${inside.length} open rooms at least, the record says ${seen}`)
    expect(seen <= fixture.rooms.length, `with ${fixture.rooms.length} rooms in all, the record says ${seen}`)
  }
}

function roomsIn (record: string | null): unknown {
  try {
    return JSON.parse(record ?? '').rooms
  } catch {
    return undefined
  }
}

const subProtocol: Rule = {
  id: 'sub-protocol',
  rule: 'selects the sub-protocol cobrowse.v1, never the signature that is offered with it',
  async check (fixture) {
    const client = fixture.connect(await fixture.sign(fixture.room(), 'recorder'))
    await waitFor(() => client.protocol ?? client.end, fixture.settings.answerMs)
    const { protocol } = client
    const seen = protocol === undefined ? `a client ${fateOf(client)}` : `it answered ${JSON.stringify(protocol)}`
    expect(protocol === 'cobrowse.v1', seen.replace(client.signature, '<signature>'))
  }
}

const admits: Rule = {
  id: 'admits',
  rule: 'admits a client with a valid signature, and relays the recorder\'s messages to the replayer of the room',
  async check (fixture) {
    await connects(fixture)
    await fixture.pair()
  }
}

/** Waits until the node listens: it may register first. */
async function connects ({ settings: { times, answerMs }, connect }: Fixture): Promise<void> {
  await waitFor(async () => {
    const client = connect(undefined)
    await waitFor(() => client.protocol ?? client.end, answerMs)
    return client.protocol !== undefined || client.end?.status !== undefined
  }, times.lease, times.heartbeat / 4)
}

export const basics: readonly Rule[] = [registers, admits]
export const registration: readonly Rule[] = [
  record, hasZnodes, countsRooms, heartbeat, agreedTimes, subProtocol
]
