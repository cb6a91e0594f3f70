// Plays the clients of many rooms until it is told to stop.
import { setMaxListeners } from 'node:events'
import { beginChild } from './child.mjs'
import { createGateways } from './gateways.mjs'
import { createPace } from './pace.mjs'
import { createRandom } from './random.mjs'
import { playRoom } from './room.mjs'

const PACE_MS = 250

const { settings, name, seed, user, gateways: addresses, note } = beginChild()
const random = createRandom(seed)
const pace = createPace(settings.roomsAtOnce)
const parts = { gateways: createGateways({ gateways: addresses, settings, user, random, pace, note }), random, note }
const stopping = new AbortController()
setMaxListeners(0, stopping.signal)
let begun = 0

const chance = (share) => random.next() < share

function planOf () {
  return {
    racing: chance(0.04) ? 4 : 0,
    // After both have left, the room stays on its node until the signatures expire.
    asksAgainAfter: chance(0.05) ? [1, 2, 3].map(() => random.between(0, 5000)) : [],
    // A signature is valid for some seconds, in which its node may fail.
    showsAfter: () => chance(0.05) ? random.between(0, 4500) : 0,
    // Most rooms are short, since races mostly occur at the beginning.
    stay: 3000 * random.next() ** 6,
    reloadsAfter: chance(0.05) ? [random.between(0, 500)] : [],
    isEnded: chance(0.05),
    showsTwice: chance(0.03)
  }
}

async function playShort () {
  while (!stopping.signal.aborted) {
    await pace.play(async () => await playRoom(`${name}-${++begun}`, planOf(), parts))
  }
}

async function playLong (number) {
  const reloadsAfter = Array.from({ length: 10_000 }, () => random.between(2000, 20_000))
  const plan = { ...planOf(), racing: 0, asksAgainAfter: [], stay: 0, reloadsAfter, isEnded: false }
  await playRoom(`${name}-long-${number}`, plan, { ...parts, signal: stopping.signal })
}

const rooms = [
  ...Array.from({ length: settings.roomsAtOnce }, playShort),
  ...Array.from({ length: settings.longRooms }, (_value, number) => playLong(number))
]
setInterval(() => note('pace', { rooms: pace.allowed() }), PACE_MS).unref()
process.once('message', () => stopping.abort())
process.send('ready')
await Promise.all(rooms)
process.send({ isDone: true })
