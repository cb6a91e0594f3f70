import { checkNodeRecord, MAX_RECORD_BYTES } from '../../../registry/nodes/node-record.js'
import { BrokenRule, expect } from '../result.js'
import { fateOf } from '../client.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'

/** Number of measured gaps between heartbeats: a single one may be longer on a busy machine. */
const GAPS = 3

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
    expect(leftMs <= times.lease, `its lease lasts ${leftMs} ms; ${times.lease} were agreed`)
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
  rule: 'renews its lease heartbeat by heartbeat, under the same incarnation',
  async check (fixture) {
    const { settings: { times, answerMs }, store } = fixture
    const first = await fixture.node()
    const gaps: number[] = []
    let last = first.leaseEnds
    await waitFor(async () => {
      const present = await store.registration(first.id)
      expect(present?.incarnation === first.incarnation, 'it registered again')
      // The end of a lease moves with each heartbeat.
      if (present.leaseEnds !== last) gaps.push(present.leaseEnds - last)
      last = present.leaseEnds
      return gaps.length === GAPS
    }, GAPS * times.lease + answerMs, times.heartbeat / 8)
    const [, median = Infinity] = gaps.toSorted((one, other) => one - other)
    expect(median <= 2 * times.heartbeat, `its heartbeats were ${gaps.join(', ')} ms apart; agreed: ${times.heartbeat}`)
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
    await fixture.pair()
  }
}

export const basics: readonly Rule[] = [registers, admits]
export const registration: readonly Rule[] = [record, heartbeat, subProtocol]
