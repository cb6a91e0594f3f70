import { hears } from '../pair.js'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { sleepUntil, waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Environment, Fixture } from '../fixture.js'
import type { Plan } from '../faults.js'
import type { Client } from '../client.js'
import type { Pair } from '../pair.js'
import type { Registration } from '../store.js'

/** The contract's 0.5 s of a lease of 6 s. */
const SAFETY_MS = 500
const SAFETY_PART = 12
/** Margin after the moment at which a node has to know that its lease expired. */
const MOMENT_MS = 20

/** Cuts the node alone from the store for a while. */
export function cutOff ({ settings: { cut, heal } }: Environment): Plan {
  return {
    inject: async () => await cut?.(),
    heal: async () => await heal?.()
  }
}

/** Moment at which the node's lease has certainly expired, by its own clocks. */
const endOfLease = ({ settings: { times } }: Fixture, cutAt: number) => cutAt + times.lease + MOMENT_MS

interface Expiry {
  /** Milliseconds, by the store's clock. */
  leaseEnds: number
  /** Latest moment of `performance.now()` until which a node may consider its lease valid. */
  validUntil: number
}

/** The end of the lease of a node that is cut off. */
async function expiryOf ({ settings: { nodeId, times }, store }: Fixture): Promise<Expiry> {
  const node = await store.registration(nodeId)
  suppose(node?.isAlive === true, 'the lease had expired before the cut')
  const leftMs = node.leaseEnds - Math.min(SAFETY_MS, times.lease / SAFETY_PART) - await store.now()
  return { leaseEnds: node.leaseEnds, validUntil: performance.now() + leftMs }
}

/** Moment of `performance.now()` until which a node that is cut off still admitted clients to this room. */
async function lastAdmission (fixture: Fixture, node: Registration, { room, recorder }: Pair): Promise<number> {
  let lastAt = performance.now()
  for (;;) {
    const connectedAt = performance.now()
    const issuedAt = await fixture.store.now()
    const client = fixture.connect(fixture.issue(room, 'replayer', { node, issuedAt }))
    if (!await hears(fixture, recorder, client)) return lastAt
    lastAt = connectedAt
    client.leave()
  }
}

async function leave (clients: Client[], ms: number): Promise<void> {
  for (const client of clients) client.leave()
  await waitFor(() => clients.every(({ end }) => end !== undefined), ms)
}

/** Whether the lease has expired in the store. */
async function leaseIsGone (fixture: Fixture): Promise<boolean> {
  const { store, settings } = fixture
  return await waitFor(async () =>
    (await store.registration(settings.nodeId))?.isAlive !== true, settings.recoverMs) === true
}

const refusesUnanswered: Rule = {
  id: 'cut-unanswered',
  rule: 'admits no client to a room before the store has answered the claim',
  async check (fixture, fault) {
    const { settings: { times, answerMs } } = fixture
    await fault.begin()
    const room = fixture.room()
    const [ours, theirs] = [await fixture.sign(room, 'recorder'), await fixture.sign(room, 'replayer')]
    const [recorder, replayer] = [fixture.connect(ours), fixture.connect(theirs)]
    expect(!await hears(fixture, recorder, replayer), 'the two sides of an unclaimed room hear each other')
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4503, 4410], 'a client of a room that was not claimed', times.lease + answerMs)))
  }
}

const refusesNormal: Rule = {
  id: 'cut-refuses',
  rule: 'admits no client with a normal signature after its lease expired by its own clocks',
  async check (fixture, fault) {
    const node = await fixture.node()
    const { room } = await fixture.pair()
    const begunAt = await fault.begin()
    await sleepUntil(endOfLease(fixture, begunAt))
    const issuedAt = await fixture.store.now()
    await checkAll([room, fixture.room()].map(async (key) => await fixture.refused(
      fixture.connect(fixture.issue(key, 'replayer', { node, issuedAt })), [4410, 4503],
      key === room ? 'a client of a room that is open' : 'a client of a new room'
    )))
  }
}

const hasMargin: Rule = {
  id: 'cut-margin',
  store: 'Redis',
  rule: 'treats its lease as expired 0.5 s before its end',
  async check (fixture, fault) {
    const { store } = fixture
    const node = await fixture.node()
    const { room } = await fixture.pair()
    await fault.begin()
    const { leaseEnds, validUntil } = await expiryOf(fixture)
    await sleepUntil(validUntil + MOMENT_MS)
    const [present, issuedAt] = [await store.registration(node.id), await store.now()]
    suppose(present?.leaseEnds === leaseEnds, 'the node was not cut off: its lease goes on')
    await fixture.refused(fixture.connect(fixture.issue(room, 'replayer', { node, issuedAt })), [4410, 4503],
      `${leaseEnds - issuedAt} ms before the end of its lease, a client`)
  }
}

const hasVanished: Rule = {
  id: 'cut-vanished',
  store: 'ZooKeeper',
  rule: 'admits no client with a normal signature from the moment at which its znode vanishes',
  async check (fixture, fault) {
    const node = await fixture.node()
    const { room } = await fixture.pair()
    await fault.begin()
    suppose(await leaseIsGone(fixture), 'the node was not cut off: its session goes on')
    const issuedAt = await fixture.store.now()
    await fixture.refused(fixture.connect(fixture.issue(room, 'replayer', { node, issuedAt })), [4410, 4503],
      'right after its znode had vanished, a client')
  }
}

const keepsPair: Rule = {
  id: 'cut-keeps',
  rule: 'disconnects no client whose other side is connected, while it is cut off and afterwards',
  async check (fixture, fault) {
    const { settings: { patience, times } } = fixture
    const pair = await fixture.pair()
    const isTogether = async () => await hears(fixture, pair.recorder, pair.replayer)
    const before = await fixture.node()
    const begunAt = await fault.begin()
    await sleepUntil(endOfLease(fixture, begunAt) + patience + 2 * times.heartbeat)
    expect(await isTogether(), `cut off, the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
    await fault.end()
    await fixture.successor(before, fixture.settings.recoverMs)
    await waitFor(() => pair.recorder.end ?? pair.replayer.end, 2 * times.heartbeat)
    expect(await isTogether(), `back, the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
  }
}

const sendsLoneAway: Rule = {
  id: 'cut-lone',
  rule: 'closes with 4410 a client that waits behind a shut door without the other side',
  async check (fixture, fault) {
    const { settings: { patience, times, answerMs } } = fixture
    const [ours, theirs] = [await fixture.pair(), await fixture.pair()]
    const second = fixture.connect(await fixture.sign(theirs.room, 'replayer'))
    suppose(await hears(fixture, theirs.recorder, second), `a second replayer ${fateOf(second)}`)
    await leave([ours.replayer, theirs.recorder], answerMs)
    await fault.begin()
    const lone = { 'a recorder alone in its room': ours.recorder, 'a replayer without a recorder': second }
    await checkAll(Object.entries(lone).map(async ([who, client]) =>
      await fixture.refused(client, [4410], who, times.lease + patience + answerMs)))
  }
}

const isPatient: Rule = {
  id: 'cut-patience',
  rule: 'lets a client wait 2 s behind a shut door for the other side',
  async check (fixture, fault) {
    const { settings: { patience, answerMs } } = fixture
    const [witness, { recorder, replayer }] = [await fixture.pair(), await fixture.pair()]
    await leave([replayer], answerMs)
    const node = await fixture.node()
    await fault.begin()
    const validUntil = node.leaseEnds === Infinity
      ? await lastAdmission(fixture, node, witness)
      : (await expiryOf(fixture)).validUntil
    // The node's lease began a little earlier than the store's.
    await waitFor(() => recorder.end, validUntil + patience / 2 - performance.now())
    expect(recorder.end === undefined, `the recorder ${fateOf(recorder)} before ${patience} ms had passed`)
  }
}

const letsJoin: Rule = {
  id: 'cut-join-only',
  rule: 'admits a join-only signature to an occupied room while its lease is expired',
  async check (fixture, fault) {
    const { room, recorder, replayer } = await fixture.pair()
    const begunAt = await fault.begin()
    await sleepUntil(endOfLease(fixture, begunAt))
    suppose(recorder.end === undefined && replayer.end === undefined, 'the room was closed before')
    const reloaded = fixture.connect(await fixture.issueJoinOnly(room, 'replayer'))
    expect(await hears(fixture, recorder, reloaded), `a page that came back ${fateOf(reloaded)}`)
  }
}

const staysOpen: Rule = {
  id: 'cut-join-only-empty',
  rule: 'admits join-only signatures to a room that all clients left while its lease is expired',
  async check (fixture, fault) {
    const { room, recorder, replayer } = await fixture.pair()
    const begunAt = await fault.begin()
    await sleepUntil(endOfLease(fixture, begunAt))
    suppose(recorder.end === undefined && replayer.end === undefined, 'the room was closed before')
    await leave([recorder, replayer], fixture.settings.answerMs)
    const [ours, theirs] = [
      fixture.connect(await fixture.issueJoinOnly(room, 'recorder')),
      fixture.connect(await fixture.issueJoinOnly(room, 'replayer'))
    ]
    expect(await hears(fixture, ours, theirs), `the recorder that came back ${fateOf(ours)}`)
  }
}

const returns: Rule = {
  id: 'cut-returns',
  rule: 'registers again under a new incarnation, with its open rooms, when it reaches the store again',
  async check (fixture, fault) {
    const { room, recorder } = await fixture.pair()
    const wasClaimed = await fixture.claimed(room) !== undefined
    const before = await fixture.node()
    await fault.begin()
    suppose(await leaseIsGone(fixture), 'the node was not cut off: its lease goes on')
    await fault.end()
    const present = async () => (await fixture.store.registration(before.id))?.isAlive === true
    if (await fixture.successor(before, fixture.settings.recoverMs) === undefined) {
      expect(false, await present() ? 'the old incarnation was revived' : 'it has not registered again')
    }
    if (!wasClaimed || recorder.end !== undefined) return
    const claim = await fixture.claimed(room, fixture.settings.beatMs)
    expect(claim !== undefined, `the binding is ${(await fixture.store.binding(room))?.text ?? 'not there'}`)
  }
}

const closesLost: Rule = {
  id: 'cut-lost',
  rule: 'closes with 4410, once it is back, a room that was bound to another node in the meantime',
  async check (fixture, fault) {
    const { settings, rival } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    await fault.begin()
    suppose(await leaseIsGone(fixture), 'the node was not cut off: its lease goes on')
    suppose(await waitFor(async () => await rival.claim(room) === 'ok', settings.answerMs, 100) === true,
      'the rival could not claim the room')
    await fault.end()
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', settings.recoverMs)))
  }
}

export const cut: readonly Rule[] = [
  refusesUnanswered, refusesNormal, hasMargin, hasVanished, keepsPair, sendsLoneAway, isPatient, letsJoin, staysOpen,
  returns, closesLost
]
