import { setTimeout as sleep } from 'node:timers/promises'
import { readSignature } from './read-signature.mjs'
import { takeSeat } from './seat.mjs'

/** One side of a room: asks, takes its seat, and asks again whenever it is rejected or disconnected. */
export function createClient ({ room, role, plan, gateways, random, note, onChange }) {
  const leaving = new AbortController()
  let seat
  let showsTwice = plan.showsTwice

  async function enter () {
    const given = await gateways.ask(room, role)
    if (leaving.signal.aborted) return undefined
    if (given === undefined) {
      // A settling gateway names a wait; more requests would only take time from the others.
      await sleep(random.between(300, 900))
      return undefined
    }
    const { signature, port } = given
    const claims = readSignature(signature)
    await sleep(plan.showsAfter())
    if (showsTwice) showAgain(port, signature)
    showsTwice = false
    const taken = await takeSeat(port, signature)
    const details = { room, role, node: claims.node, jti: claims.jti, kind: claims.kind }
    if (taken.answer !== 'ok') {
      note('turned-away', { ...details, code: taken.answer })
      await sleep(random.between(50, 150))
      return undefined
    }
    note('inside', details)
    return { ...taken, details }
  }

  /** Simulates a thief, or a page that retries: one of the two must be rejected. */
  async function showAgain (port, signature) {
    const twin = await takeSeat(port, signature)
    twin.leave?.()
  }

  return {
    node: () => seat?.details.node,
    /** Runs until `leave`. */
    async run () {
      while (!leaving.signal.aborted) {
        seat = await enter()
        if (seat === undefined) continue
        if (leaving.signal.aborted) seat.leave()
        onChange()
        const { details, ended } = seat
        const code = await ended
        note(code === 'left' ? 'outside' : 'sent-away', { ...details, code })
        seat = undefined
        onChange()
        if (code !== 'left') await sleep(random.between(20, 80))
      }
    },
    /** Reloads the page. */
    reload: () => seat?.leave(),
    leave () {
      leaving.abort()
      seat?.leave()
    }
  }
}
