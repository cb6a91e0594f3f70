import { setTimeout as sleep } from 'node:timers/promises'
import { takesDeadline } from '../../../dist/lib/common/adapter-call.js'

/** Most rooms are short, so they are moved soon. */
const LATEST_MS = 1500

/** Lets an operator move a share of the rooms that the gateway asks for, some of them to a given node. */
export function withOperator (registry, { share, nodes, random, note }) {
  let moves = 0

  async function move (room) {
    const id = `${process.pid}-${++moves}`
    const to = random.next() < 0.3 ? { to: random.pick(nodes) } : {}
    await sleep(random.between(0, LATEST_MS))
    note('moving', { room, id })
    const told = await registry.operations.move({ tenant: 'race', room }, { ...to, reason: 'a race', author: 'injector' })
    note('moved', { room, id, ...told })
  }

  return {
    ...registry,
    assign: takesDeadline(async (key, options) => {
      const assignment = await registry.assign(key, options)
      if (random.next() < share) {
        move(key.room).catch((error) => {
          // Any other error leaves open if the room moves.
          if (error instanceof TypeError) note('not-moved', { room: key.room, error: error.message })
        })
      }
      return assignment
    })
  }
}
