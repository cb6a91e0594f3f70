import { setTimeout as sleep } from 'node:timers/promises'
import { bothAreThere, LEASE } from './soaked.js'
import type { Random } from '../race/random.mjs'
import type { Part, Soaked } from './soaked.js'

/** Drains, cuts and restarts one after the other, each undone. */
export async function makeTrouble ({ redis, gateway, nodes }: Soaked, random: Random, endsAt: number): Promise<void> {
  const [steady, restarted] = nodes
  if (steady === undefined || restarted === undefined) throw new Error('two nodes were started')

  async function cut ({ proxy }: Part, ms: number): Promise<void> {
    proxy.set(random.pick(['hang', 'refuse']))
    await sleep(ms)
    proxy.set('pass')
  }

  const troubles = [
    async () => await cut(steady, 2 * LEASE),
    async () => await cut(gateway, LEASE),
    async () => await restarted.restart(),
    async () => {
      steady.tell('drain')
      await sleep(LEASE)
      steady.tell('undrain')
    }
  ]
  let left: typeof troubles = []
  while (performance.now() < endsAt) {
    if (left.length === 0) left = random.shuffle(troubles)
    await left.pop()?.()
    await bothAreThere(redis)
    await sleep(random.between(500, 2000))
  }
}
