import { setTimeout as sleep } from 'node:timers/promises'
import { memberOf } from '../../../registry/nodes/member.js'
import { hears } from '../pair.js'
import { checkAll, ofStore } from '../rule.js'
import { expect } from '../result.js'
import { fateOf } from '../client.js'
import { zookeeperOf } from '../store.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'

/** Rooms of one rule: a single claim may miss the other writes. */
const ROOMS = 32
/** Rooms that are raced for at once. */
const AT_ONCE = 4
/** Writes that may come between the reading and the writing of one claim: fewer than a node has to survive. */
const TOUCHES = 5
const TOUCH_MS = 3
const FLIPS = 40

async function inManyRooms (race: (at: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < ROOMS; at += AT_ONCE) {
    await checkAll(Array.from({ length: AT_ONCE }, async (_, lane) => await race(at + lane)))
  }
}

async function raceAgainstGateway (fixture: Fixture, at: number): Promise<void> {
  const store = zookeeperOf(fixture)
  const room = fixture.room()
  const [ours, theirs] = [await fixture.sign(room, 'recorder'), await fixture.sign(room, 'replayer')]
  const [recorder, replayer] = [fixture.connect(ours), fixture.connect(theirs)]
  await sleep(at % TOUCHES)
  for (let left = TOUCHES; left > 0 && await store.touch(room); left--) await sleep(TOUCH_MS)
  const isAdmitted = await hears(fixture, recorder, replayer)
  expect(isAdmitted, `a gateway wrote the room at the same time, and the recorder ${fateOf(recorder)}, ` +
    `the replayer ${fateOf(replayer)}`)
  const binding = await store.binding(room)
  expect(binding?.state === 'claimed', `two sides of a room hear each other, and its binding is ${binding?.text}`)
}

const repeats: Rule = {
  id: 'claim-raced',
  rule: 'reads the room again and repeats its claim if another client wrote the room in between',
  async check (fixture) {
    await inManyRooms(async (at) => await raceAgainstGateway(fixture, at))
  }
}

/** Gives the room to the rival and back, until the node has claimed it or has given up. */
async function raceAgainstNode (fixture: Fixture, change: 'write' | 'replace'): Promise<void> {
  const store = zookeeperOf(fixture)
  const room = fixture.room()
  const client = fixture.connect(await fixture.sign(room, 'recorder'))
  const { member } = await fixture.node()
  let text = (await store.binding(room))?.text ?? ''
  let isRivals = false
  for (let left = FLIPS; left > 0 && client.end === undefined; left--) {
    const written = isRivals
      ? await store[change](room, text, { member, state: 'assigned' })
      : await store[change](room, text, { member: memberOf(fixture.rival), state: 'claimed' })
    if (written === undefined) break
    text = written
    isRivals = !isRivals
  }
  const found = await store.binding(room)
  const isOverwritten = isRivals && found !== null && found.text !== text
  expect(!isOverwritten, `another node had claimed a room, and the node overwrote that: the binding is ${found?.text}`)
}

const guards: Rule = {
  id: 'claim-guarded',
  rule: 'writes a room only in the state in which it read it, even if the room was deleted and created again',
  async check (fixture) {
    await inManyRooms(async (at) => await raceAgainstNode(fixture, at % 2 === 0 ? 'write' : 'replace'))
  }
}

export const races = ofStore('ZooKeeper', [repeats, guards])
