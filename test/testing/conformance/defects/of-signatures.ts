import { verifySignature } from '../../../../lib/signature.js'
import { freshId, putTogether, takeApart } from '../../../../lib/testing/conformance/forge.js'
import { SIGNING } from '../start-node.js'
import type { Parts } from '../../../../lib/testing/conformance/forge.js'
import type { BrokenNode, Defect } from '../start-node.js'

const [KEY = { id: '', secret: '' }] = SIGNING.keys

/** Rewrites the client's signature into a better one. */
const takingFor = (better: (parts: Parts) => Parts): Required<Defect>['verify'] => (good) => async (signature, at) => {
  const parts = takeApart(signature)
  const improved = better(parts)
  return await good(improved === parts ? signature : putTogether(improved, KEY), at)
}

const TYPES = ['cobrowse+jwt', 'cobrowse-join+jwt']

export const OF_SIGNATURES: Record<string, BrokenNode> = {
  'admits clients without a signature': {
    breaks: ['signature-missing'],
    verify: (good) => async (signature, at) => {
      if (signature !== '') return await good(signature, at)
      const issuedAt = Math.floor(at.now / 1000)
      return {
        tenant: 'guests',
        room: 'guests',
        user: 'guest',
        name: 'guest',
        role: 'replayer',
        node: at.node.id,
        incarnation: at.node.incarnation,
        joinOnly: false,
        issuedAt,
        expiresAt: issuedAt + 1,
        id: freshId()
      }
    }
  },
  'does not check the MAC': {
    breaks: ['signature-forged', 'signature-key', 'signature-canonical'],
    verify: takingFor((parts) => ({ ...parts }))
  },
  'takes any algorithm': {
    breaks: ['signature-algorithm'],
    verify: takingFor((parts) => parts.header.alg === 'HS256'
      ? parts
      : { ...parts, header: { ...parts.header, alg: 'HS256' } })
  },
  'takes any typ': {
    breaks: ['signature-type'],
    verify: takingFor((parts) => TYPES.includes(String(parts.header.typ))
      ? parts
      : { ...parts, header: { ...parts.header, typ: 'cobrowse+jwt' } })
  },
  'does not look at iss': {
    breaks: ['signature-claims'],
    verify: takingFor((parts) => parts.claims.iss === 'fastify-cobrowse'
      ? parts
      : { ...parts, claims: { ...parts.claims, iss: 'fastify-cobrowse' } })
  },
  'does not look at exp': {
    breaks: ['signature-expired'],
    verify: (good) => async (signature, at) => {
      const exp = Number(takeApart(signature).claims.exp)
      const claims = await good(signature, { ...at, now: Math.min(at.now, exp * 1000 - 1) })
      return { ...claims, expiresAt: Math.max(exp, Math.ceil(at.now / 1000) + 5) }
    }
  },
  'lets signatures live for an hour': {
    breaks: ['signature-times'],
    verify: () => async (signature, at) =>
      await verifySignature(signature, { ...SIGNING, ...at, ttl: 3600, acceptJoinOnly: true })
  },
  'allows for no skew': {
    breaks: ['signature-skew'],
    verify: (good) => async (signature, at) => {
      const claims = await good(signature, at)
      if (claims.expiresAt * 1000 <= at.now) throw new TypeError('expired')
      return claims
    }
  },
  'does not look at aud': {
    breaks: ['signature-audience', 'signature-incarnation', 'lapse-old-signature'],
    verify: (good) => async (signature, at) => {
      const { header, claims } = takeApart(signature)
      if (header.typ !== 'cobrowse+jwt') return await good(signature, at)
      const [id = '', incarnation = ''] = String(claims.aud).split('/')
      return { ...await good(signature, { ...at, node: { id, incarnation } }), incarnation: at.node.incarnation }
    }
  },
  'accepts a signature twice': {
    breaks: ['once', 'once-at-once', 'join-only-open'],
    verify: (good) => async (signature, at) => ({ ...await good(signature, at), id: freshId() })
  },
  'knows no join-only signatures': {
    breaks: ['join-only-shut', 'join-only-open', 'cut-join-only'],
    verify: () => async (signature, at) => await verifySignature(signature, { ...SIGNING, ...at })
  },
  'takes a join-only signature of its earlier process for a present one': {
    breaks: ['join-only-restarted'],
    verify: (good) => async (signature, at) => {
      const claims = await good(signature, at)
      const issuedAt = Math.floor(at.now / 1000)
      return claims.joinOnly ? { ...claims, issuedAt, knownIncarnation: at.node.incarnation } : claims
    }
  },
  'opens a room for a join-only signature': {
    breaks: ['join-only-shut', 'join-only-restarted'],
    verify: (good, membership) => async (signature, at) => {
      const claims = await good(signature, at)
      return { ...claims, joinOnly: claims.joinOnly && membership()?.valid() !== true }
    }
  }
}
