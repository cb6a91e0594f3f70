import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from './client.mjs'

/** Time within which two sides have to find each other, faults included. */
const PATIENCE_MS = 60_000

/**
 * Plays one call: both sides ask at once, meet, stay together and leave. `plan` lists further events.
 *
 * @param signal aborts when a long room has to end
 */
export async function playRoom (room, plan, { gateways, random, note, signal }) {
  let wake = () => {}
  const clients = ['recorder', 'replayer'].map((role) =>
    createClient({ room, role, plan, gateways, random, note, onChange: () => wake() }))
  const runs = clients.map((client) => client.run())
  const askBeside = () => gateways.ask(room, random.pick(['recorder', 'replayer']))
  for (let racing = 0; racing < plan.racing; racing++) askBeside()
  for (const ms of plan.asksAgainAfter) setTimeout(askBeside, ms)

  const areTogether = () => clients[0].node() !== undefined && clients[0].node() === clients[1].node()

  async function meet () {
    const giveUpAt = Date.now() + PATIENCE_MS
    const timer = setTimeout(() => wake(), PATIENCE_MS)
    while (!areTogether() && Date.now() < giveUpAt) await new Promise((resolve) => { wake = resolve })
    clearTimeout(timer)
    note(areTogether() ? 'together' : 'gave-up', { room })
    return areTogether()
  }

  const wait = async (ms) => await sleep(ms, undefined, { signal }).catch(() => {})

  let isComplete = await meet()
  for (const ms of plan.reloadsAfter) {
    await wait(ms)
    if (signal?.aborted) break
    random.pick(clients).reload()
    isComplete &&= await meet()
  }
  await wait(plan.stay)
  if (plan.isEnded && await gateways.endCall(room)) await wait(random.between(0, 1000))
  else isComplete &&= await meet()
  for (const client of clients) client.leave()
  await Promise.all(runs)
  if (isComplete) note('done', { room })
  return isComplete
}
