import { roomName } from '../../../../lib/common/room-name.js'
import { hmac, putTogether, takeApart } from '../../../../lib/testing/conformance/forge.js'
import { SIGNING } from '../start-node.js'
import type { Parts } from '../../../../lib/testing/conformance/forge.js'
import type { BrokenNode, Defect } from '../start-node.js'

const SIGN = hmac(SIGNING.keys[0]?.secret ?? '')

/** Gives signatures other ids, so that used ones are not known any more. */
const naming = (nameOf: (room: string, endsAt: number, now: number) => string): Required<Defect>['verify'] =>
  (good) => async (signature, at) => {
    const claims = await good(signature, at)
    return { ...claims, id: `${claims.id} ${nameOf(roomName(claims), claims.expiresAt * 1000, at.now)}` }
  }

function forgettingAtLeave (isForgotten: (inside: number) => boolean): Pick<Defect, 'verify' | 'left' | 'membership'> {
  const [inside, rounds] = [new Map<string, number>(), new Map<string, number>()]
  return {
    verify: naming((room) => String(rounds.get(room) ?? 0)),
    left (seat) {
      const name = roomName(seat)
      const left = (inside.get(name) ?? 0) - 1
      inside.set(name, left)
      if (isForgotten(left)) rounds.set(name, (rounds.get(name) ?? 0) + 1)
    }
  }
}

function countingRefused (): Pick<Defect, 'verify' | 'membership'> {
  const [seen, refused] = [new Set<string>(), new Set<string>()]
  return {
    verify: (good) => async (signature, at) => {
      const claims = await good(signature, at)
      if (refused.has(roomName(claims)) && seen.has(claims.id)) throw new TypeError('used')
      seen.add(claims.id)
      return claims
    },
    membership: (good) => ({
      async claim (room, options) {
        const result = await good.claim(room, options)
        if (result !== 'ok') refused.add(roomName(room))
        return result
      }
    })
  }
}

const resigned = (parts: Parts) => putTogether(parts, SIGN)

export const OF_USED_SIGNATURES: Record<string, BrokenNode> = {
  'forgets a used signature when its client leaves': {
    breaks: { 'once-left': /a client with a used signature, whose client has left, stays connected/ },
    ...forgettingAtLeave(() => true)
  },
  'forgets the used signatures of a room when it is released': {
    breaks: { 'once-left': /a client with a used signature, whose room was released, stays connected/ },
    ...forgettingAtLeave((left) => left % 2 === 0)
  },
  'forgets a used signature when it ends': {
    breaks: { 'once-skew': /used signature, 0.2 s after its end, stays/ },
    verify: naming((_room, endsAt, now) => now < endsAt ? '' : 'ended')
  },
  'counts a signature as used although its client was refused': {
    breaks: { 'once-refused': /a client with a signature that admitted nobody was closed with 4401/ },
    ...countingRefused()
  },
  'does not check the MAC of a join-only signature': {
    breaks: {
      'join-only-checked': /a client with a bit of the MAC of a join-only signature flipped stays connected/
    },
    verify: (good) => async (signature, at) => {
      const { header, claims } = takeApart(signature)
      return await good(header.typ === 'cobrowse-join+jwt' ? resigned({ header, claims }) : signature, at)
    }
  },
  'lets join-only signatures live for an hour': {
    breaks: { 'join-only-checked': /a client whose join-only signature lives too long stays connected/ },
    verify: (good) => async (signature, at) => {
      const { header, claims } = takeApart(signature)
      if (header.typ !== 'cobrowse-join+jwt') return await good(signature, at)
      const exp = Math.min(Number(claims.exp), Number(claims.iat) + 4)
      return await good(exp === claims.exp ? signature : resigned({ header, claims: { ...claims, exp } }), at)
    }
  },
  'takes a join-only signature for any node': {
    breaks: {
      'join-only-checked': /a client with another node in aud of a join-only signature stays connected/
    },
    verify: (good) => async (signature, at) => {
      const { header, claims } = takeApart(signature)
      if (header.typ !== 'cobrowse-join+jwt') return await good(signature, at)
      return { ...await good(signature, { ...at, node: { ...at.node, id: String(claims.aud) } }), node: at.node.id }
    }
  }
}
