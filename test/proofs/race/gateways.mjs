import { Pool } from 'undici'
import { readSignature } from './read-signature.mjs'

const LIMIT_MS = 2500

/** Gateways for a driver: every request goes to a random one. */
export function createGateways ({ gateways, settings, user, random, pace, note }) {
  const pools = gateways.map(({ port, token }, index) => ({
    gateway: `g${index + 1}`,
    headers: { 'content-type': 'application/json', 'ccmessaging-token': token },
    pool: new Pool(`http://127.0.0.1:${port}`, { headersTimeout: LIMIT_MS, bodyTimeout: LIMIT_MS })
  }))

  async function post (path, about, body) {
    const { gateway, headers, pool } = random.pick(pools)
    const sentAt = Date.now()
    try {
      const response = await pool.request({ method: 'POST', path, headers, body: JSON.stringify(body) })
      return { gateway, sentAt, ...await response.body.json() }
    } catch (error) {
      note('unanswered', { ...about, gateway, sentAt, code: error.code })
      return undefined
    }
  }

  return {
    /** Asks for the room's node; `undefined` if no gateway answered with one. */
    async ask (room, role) {
      const answer = await post(settings.path, { room }, { roomId: room, userId: user, userName: 'n', role })
      if (answer === undefined) return undefined
      const { gateway, sentAt, retCode, data } = answer
      if (retCode !== '0') {
        note('denied', { room, gateway, sentAt, retCode })
        return undefined
      }
      pace.heard(Date.now() - sentAt)
      note('signed', { ...readSignature(data.signature), gateway, sentAt })
      return { signature: data.signature, port: Number(new URL(data.wssUrl).port) }
    },
    /** Ends the call. @returns true if a gateway did so */
    async endCall (room) {
      note('ending', { room })
      const answer = await post(settings.releasePath, { room }, { callId: room })
      if (answer === undefined) return false
      const { gateway, sentAt, retCode } = answer
      note(retCode === '0' ? 'call-ended' : 'denied', { room, gateway, sentAt, retCode })
      return retCode === '0'
    }
  }
}
